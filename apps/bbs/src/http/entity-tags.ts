import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/**
 * Every answer to a GET has an ETag, and who has that answer already gets 304. A handler that knows what its answer depends
 * on sets the tag itself; the others' bodies, which are small, are hashed.
 */
export function addEntityTags(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || reply.statusCode !== 200) return done(null, payload);
    if (!reply.hasHeader('etag') && (typeof payload === 'string' || payload instanceof Buffer)) {
      reply.header('etag', `"${createHash('sha1').update(payload).digest('base64url')}"`);
    }
    if (!isSame(request.headers['if-none-match'], reply.getHeader('etag'))) return done(null, payload);
    reply.code(304);
    done(null, '');
  });
}

/** Weak comparison (RFC 9110 §13.1.2). */
function isSame(wanted: string | undefined, tag: unknown): boolean {
  const opaque = (text: string) => text.replace(/^W\//, '');
  return wanted !== undefined && typeof tag === 'string' && opaque(wanted) === opaque(tag);
}
