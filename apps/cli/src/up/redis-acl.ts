import { createHash } from 'node:crypto';

export interface RedisUser {
  name: string;
  password: string;
}

export interface RedisCellUser extends RedisUser {
  cellId: string;
}

/** What a cell may do on the bus: everything BullMQ needs, and only with the keys of its own mailbox. */
const CELL_COMMANDS =
  'nocommands +@read +@write +@scripting +@connection +@fast +info +client|setname -@admin -flushall -flushdb -keys -script|flush -function';

/** The `aclfile` of a cluster's own Redis: one user for the control plane, one for each cell. */
export function redisAcl(controlPlane: RedisUser, cells: readonly RedisCellUser[]): string {
  const lines = cells.map(
    (cell) =>
      `user ${cell.name} on #${sha256(cell.password)} resetkeys resetchannels ~{cell-${cell.cellId}}:* ${CELL_COMMANDS}`,
  );
  return [`user ${controlPlane.name} on #${sha256(controlPlane.password)} ~* &* +@all`, ...lines, ''].join(
    '\n',
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
