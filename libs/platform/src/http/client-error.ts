import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import { RiveraError } from '#rivera/models';

import { PROBLEM_CONTENT_TYPE } from './problem.js';
import { toProblem } from './send-problem.js';
import { traceIdOf } from './trace-context.js';

/** What Node's HTTP parser says, in our words. */
const REFUSALS: Readonly<Record<string, { status: number; sentence: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, sentence: 'The request did not arrive in time; send it faster.' },
  HPE_HEADER_OVERFLOW: { status: 431, sentence: 'The path and the headers are too long; send shorter ones.' },
};
const NOT_HTTP = { status: 400, sentence: 'This is not a well-formed HTTP/1.1 request.' };

/** Answers what cannot be read as a request, so that no filter or hook ever sees it, and ends the connection. */
export function refuseClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable && !isAnswering(socket)) {
    const { status, sentence } = REFUSALS[error.code ?? ''] ?? NOT_HTTP;
    const refusal = { error: new RiveraError('invalid-request', sentence), status };
    const body = JSON.stringify(toProblem(refusal, { id: traceIdOf({}), url: '' }));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}

/** Within an answer to the request before, ours would be taken for a part of it. */
function isAnswering(socket: Socket & { _httpMessage?: { headersSent?: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
