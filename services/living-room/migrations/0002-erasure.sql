-- expand, release 2
-- An erased user moderates for nobody.
ALTER TABLE t_room_moderator ADD INDEX idx_user_id (user_id), ALGORITHM=INPLACE, LOCK=NONE;
