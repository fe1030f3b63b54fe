import type { FastifyInstance } from 'fastify';
import { RiveraError } from '#rivera/models';

const ADMITTED = ['/v1/admin/', '/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'];

/**
 * While a store is being filled, everybody else is told that it does not answer, which cells and clients know how to
 * live with: cells go on running what they have.
 */
export function admitOnlyOperators(fastify: Pick<FastifyInstance, 'addHook'>): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const isAdmitted = ADMITTED.some((beginning) => request.url.startsWith(beginning));
    if (isAdmitted) return done();
    done(
      new RiveraError(
        'unavailable',
        'This store is being restored: only operators are let in until bbs is started without BBS_RESTORE.',
      ),
    );
  });
}
