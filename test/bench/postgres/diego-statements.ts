import { randomBytes } from 'node:crypto';

const DESIRED_COLUMNS =
  'process_guid, domain, log_guid, annotation, instances, memory_mb, disk_mb, max_pids, rootfs, routes, volume_placement, modification_tag_epoch, modification_tag_index, run_info, placement_tags, metric_tags';
const ACTUAL_COLUMNS =
  'process_guid, instance_index, presence, domain, state, instance_guid, cell_id, placement_error, since, net_info, modification_tag_epoch, modification_tag_index, crash_count, crash_reason, expire_time, internal_routes, metric_tags, routable, availability_zone';

/** The two tables that Diego's BBS keeps LRPs in, with its indexes. */
export const SCHEMA = `
  create table desired_lrps (
    process_guid varchar(255) primary key, domain varchar(255) not null, log_guid varchar(255) not null, annotation text,
    instances int not null, memory_mb int not null, disk_mb int not null, max_pids int not null default 0,
    rootfs varchar(255) not null, routes text not null, volume_placement text not null,
    modification_tag_epoch varchar(255) not null, modification_tag_index int, run_info text not null,
    placement_tags text, metric_tags text
  );
  create index on desired_lrps (domain);
  create table actual_lrps (
    process_guid varchar(255), instance_index int, presence int not null default 0, domain varchar(255) not null,
    state varchar(255) not null, instance_guid varchar(255) not null default '', cell_id varchar(255) not null default '',
    placement_error varchar(1024) not null default '', since bigint default 0, net_info text not null,
    modification_tag_epoch varchar(255) not null, modification_tag_index int, crash_count int not null default 0,
    crash_reason varchar(1024) not null default '', expire_time bigint default 0, internal_routes text, metric_tags text,
    routable boolean, availability_zone varchar(255) not null default '',
    primary key (process_guid, instance_index, presence)
  );
  create index on actual_lrps (domain);
  create index on actual_lrps (cell_id);
  create index on actual_lrps (since);
  create index on actual_lrps (state);
  create index on actual_lrps (expire_time);
  create index on actual_lrps (presence);
`;

/** Encrypted and in base64, so that nothing of it can be compressed. */
const encrypted = (bytes: number): string => randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64');

const TAG = '12345678-1234-1234-1234-123456789012';
const NET_INFO = encrypted(80);
/** Each caller has numbers of its own, one for each time that it calls. */
const NEXT = '\\set n :n + 1\n\\set id :client_id * 1000000 + :base + :n\n';
const GUID = "'guid-' || (:id)::text";
const ITS_ROW = `process_guid = ${GUID} AND instance_index = 0 AND presence = 0`;
const LOCK = `SELECT ${ACTUAL_COLUMNS} FROM actual_lrps WHERE ${ITS_ROW} LIMIT 1 FOR UPDATE;`;

const move = (state: string, index: number, netInfo: string): string => `
  BEGIN;
  ${LOCK}
  UPDATE actual_lrps SET state = '${state}', instance_guid = '${TAG}', cell_id = 'cell-12', placement_error = '',
    since = 1700000000000000001, net_info = '${netInfo}', modification_tag_index = ${index} WHERE ${ITS_ROW};
  COMMIT;
`;

/**
 * What PostgreSQL is asked by Diego's BBS, as scripts of pgbench, operation by operation. A desire: the definition in a
 * transaction, the definition read back for its event, the instance in a transaction. A claim and a start: the row locked
 * and changed; a start looks at the other rows of the instance before. Sizes are those of the LRP of these benchmarks.
 */
export const DIEGO_STATEMENTS = {
  'desire-1': `${NEXT}
    BEGIN;
    INSERT INTO desired_lrps (${DESIRED_COLUMNS}) VALUES (${GUID}, 'domain', 'log-guid', '', 1, 256, 512, 100,
      'preloaded-base', '${encrypted(400)}', '${NET_INFO}', '${TAG}', 0, '${encrypted(5_200)}', '[]', '${NET_INFO}');
    COMMIT;
    SELECT ${DESIRED_COLUMNS} FROM desired_lrps WHERE process_guid = ${GUID} LIMIT 1;
    BEGIN;
    INSERT INTO actual_lrps (process_guid, instance_index, domain, state, since, net_info, modification_tag_epoch,
      modification_tag_index, internal_routes, metric_tags) VALUES (${GUID}, 0, 'domain', 'UNCLAIMED',
      1700000000000000000, '${NET_INFO}', '${TAG}', 0, '[]', '${NET_INFO}');
    COMMIT;
  `,
  claim: NEXT + move('CLAIMED', 1, NET_INFO),
  start: `${NEXT}
    SELECT ${ACTUAL_COLUMNS} FROM actual_lrps WHERE process_guid = ${GUID} AND instance_index = 0;
    ${move('RUNNING', 2, encrypted(240))}
  `,
};
