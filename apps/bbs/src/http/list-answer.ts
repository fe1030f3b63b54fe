import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Page, Stored } from '#rivera/store';

/**
 * The body `{"items":[…],"next":…}` of a list, made of the JSON of its items, which is mostly what the store holds. Its
 * ETag says which versions of which records it shows, and so is known without hashing the body.
 *
 * @param texts JSON of each item, as a client sees it
 */
export function listAnswer(reply: FastifyReply, { items, next }: Page<Stored>, texts: string[]): string {
  const shown = items.map(({ id, version }) => `${id} ${version}\n`).join('') + (next ?? '');
  reply.header('etag', `W/"${createHash('sha1').update(shown).digest('base64url')}"`);
  reply.type('application/json; charset=utf-8');
  const end = next === undefined ? '}' : `,"next":${JSON.stringify(next)}}`;
  return `{"items":[${texts.join(',')}]${end}`;
}

/** The stored JSON, unless one of these fields, which no client sees, may be somewhere in it; then what `present` makes. */
export function textFor<R extends object>(hidden: string[], present: (record: R) => object) {
  return (stored: Stored<R>): string =>
    mayHold(stored.json, hidden) ? JSON.stringify(present(stored.record)) : stored.json;
}

/** May an object in this JSON have one of these fields? Only a text that holds none of the names certainly has none. */
export function mayHold(json: string, fields: string[]): boolean {
  return fields.some((name) => json.includes(`"${name}":`));
}
