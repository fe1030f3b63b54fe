import type { Domain } from '#rivera/models';
import { newTag, nextTag, type Transition } from './change.js';
import type { Context } from './context.js';

/** A client declares its domain fresh for `ttlSeconds`, 0 = for ever (Diego BBS, UpsertDomain). */
export function upsertDomain(
  before: Domain | undefined,
  domain: string,
  ttlSeconds: number,
  context: Context,
): Transition {
  const expiresAt = ttlSeconds === 0 ? {} : { expiresAt: context.now + ttlSeconds * 1000 };
  const modificationTag = before === undefined ? newTag(context) : nextTag(before);
  return [{ kind: 'domain', before, after: { domain, ...expiresAt, modificationTag } }];
}

/** Fresh: its owner says its desired list is complete, so what is not in it may be stopped. */
export function isFresh(domain: Domain | undefined, now: number): boolean {
  return domain !== undefined && (domain.expiresAt === undefined || domain.expiresAt > now);
}
