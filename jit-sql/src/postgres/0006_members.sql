-- One group may have nearly all the members that there are. Whoever counts then takes all there are for members of whatever
-- group is asked for, and looks through all of them with each commit of a document. So it is said how many a group has.
-- ANALYZE makes it known; neither keeps anybody from reading or writing. Only autovacuum may be in the way, which ends for
-- who waits longer than a second (deadlock_timeout).

SET LOCAL lock_timeout = '3s';

ALTER TABLE jit_member ALTER COLUMN id SET (n_distinct = -0.01);
ANALYZE jit_member;
