import { readFile } from 'node:fs/promises';

/** Who a process runs as; empty is the agent's own user. */
export interface HostUser {
  uid?: number;
  gid?: number;
}

/**
 * The host's user for a user name or `uid[:gid]`. Only root can become somebody else: for any other agent, and for a
 * name the host does not know (a container's `vcap` mostly), it is the agent's own user.
 */
export async function resolveHostUser(user: string): Promise<HostUser> {
  if (process.getuid?.() !== 0 || user === '' || user === 'root') return {};
  const numeric = /^(\d+)(?::(\d+))?$/.exec(user);
  if (numeric) return { uid: Number(numeric[1]), gid: Number(numeric[2] ?? numeric[1]) };
  const passwd = await readFile('/etc/passwd', 'utf8');
  const line = passwd.split('\n').find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid !== undefined && gid !== undefined ? { uid: Number(uid), gid: Number(gid) } : {};
}
