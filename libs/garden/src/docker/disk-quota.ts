import { readFile } from 'node:fs/promises';

/** Storage drivers that can limit a container's disk on any file system. */
const DRIVERS_WITH_QUOTA = new Set(['btrfs', 'zfs', 'devicemapper', 'windowsfilter']);
const PROJECT_QUOTA = /\b(pquota|prjquota)\b/;

/** The fields of the engine's description that tell about storage. */
export interface StorageInfo {
  Driver: string;
  DockerRootDir: string;
  DriverStatus?: [string, string][] | null;
}

/** Whether the engine can limit what a container writes: overlay2 can on xfs that is mounted with project quotas. */
export async function hasDiskQuota({ Driver, DockerRootDir, DriverStatus }: StorageInfo): Promise<boolean> {
  if (DRIVERS_WITH_QUOTA.has(Driver)) return true;
  if (Driver !== 'overlay2') return false;
  const fileSystem = DriverStatus?.find(([name]) => name === 'Backing Filesystem')?.[1];
  if (fileSystem !== 'xfs') return false;
  const mounts = (await readFile('/proc/self/mounts', 'utf8').catch(() => '')).split('\n');
  const below = mounts
    .map((line) => line.split(' '))
    .filter(([, place = '']) => place === '/' || `${DockerRootDir}/`.startsWith(`${place}/`))
    .toSorted(([, a = ''], [, b = '']) => b.length - a.length);
  return PROJECT_QUOTA.test(below[0]?.[3] ?? '');
}
