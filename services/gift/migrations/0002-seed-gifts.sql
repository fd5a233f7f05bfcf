INSERT IGNORE INTO t_gift_config (gift_id, price, gift_name, status, cover_img_url, svga_url, create_time, update_time) VALUES
  (22, 90, '天使少女-2', 1, '../svga/img/天使.png', '../svga/天使.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (23, 20, '皇冠-2', 1, '../svga/img/皇冠.png', '../svga/皇冠.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (24, 1, '爱心气泡-2', 1, '../svga/img/爱心.png', '../svga/爱心.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (25, 500, '保时捷-2', 1, '../svga/img/跑车.png', '../svga/跑车.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (27, 45, '飞天火箭-2', 1, '../svga/img/火箭.jpg', '../svga/火箭.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (28, 45, '万圣节-2', 1, '../svga/img/女巫.png', '../svga/女巫.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (29, 20, '神灯仙女-2', 1, '../svga/img/神灯仙女.png', '../svga/仙女.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3));
