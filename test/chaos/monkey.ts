import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.js';
import type { Chance } from './random.js';

const LONGEST_OUTAGE_MS = 800;
const LONGEST_CALM_MS = 1_500;

/**
 * Kills programs at some moment and for some time, one or two at once, and starts them again; then everything may
 * come back and work for a while. A round hits each victim once.
 */
export async function monkey(
  cluster: Cluster,
  { chance, victims, rounds }: { chance: Chance; victims: readonly string[]; rounds: number },
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const left = [...victims];
    const next = (): string[] => left.splice(chance.between(0, left.length - 1), 1);
    while (left.length > 0) {
      await sleep(chance.between(0, LONGEST_CALM_MS));
      const hit = [...next(), ...(chance.between(0, 1) === 1 ? next() : [])];
      for (const victim of hit) {
        await kill(cluster, victim);
        await sleep(chance.between(0, LONGEST_OUTAGE_MS));
      }
      for (const victim of hit) await revive(cluster, victim);
      await Promise.all(
        hit.filter((victim) => victim !== 'redis').map((name) => cluster.program(name).ready()),
      );
    }
  }
}

function kill(cluster: Cluster, victim: string): Promise<void> {
  return victim === 'redis' ? cluster.redis.kill9() : cluster.kill9(victim);
}

async function revive(cluster: Cluster, victim: string): Promise<void> {
  if (victim === 'redis') await cluster.redis.restart();
  else cluster.program(victim).launch();
}
