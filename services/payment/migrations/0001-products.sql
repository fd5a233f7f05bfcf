-- What can be bought. Price is fen; `extra` holds {"coin": coins one gets, ...}.
CREATE TABLE IF NOT EXISTS t_pay_product (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  price BIGINT UNSIGNED NOT NULL,
  extra JSON NOT NULL,
  -- 0 coins.
  type TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- 0 off sale, 1 on sale.
  valid_status TINYINT UNSIGNED NOT NULL DEFAULT 1,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  KEY idx_type_price (type, valid_status, price)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_pay_product (id, name, price, extra, type, valid_status) VALUES
  (6, '30元旗鱼币', 3000, '{"coin": 300, "url": "www.tttt.com"}', 0, 1),
  (7, '35元旗鱼币', 3500, '{"coin": 350, "url": "www.tttt.com"}', 0, 1),
  (8, '40元旗鱼币', 4000, '{"coin": 400, "url": "www.tttt.com"}', 0, 1),
  (9, '50元旗鱼币', 5000, '{"coin": 500, "url": "www.tttt.com"}', 0, 1),
  (10, '100元旗鱼币', 10000, '{"coin": 1000, "url": "www.tttt.com"}', 0, 1);
