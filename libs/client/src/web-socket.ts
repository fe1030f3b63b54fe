import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { RiveraError } from '#rivera/models';
import { MAX_MESSAGE_BYTES, Session } from '#rivera/session';
import { problemToError } from './problem.js';

/** Of a refusal; a problem document is much shorter. */
const MAX_REFUSAL_BYTES = 65_536;

export interface ConnectOptions {
  /** `http:` or `https:`. */
  url: string;
  headers: Record<string, string>;
  /** For the handshake. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Opens a WebSocket. Rejects with the error of the problem document by which the server refused it, with `unavailable`
 * when it could not be reached, or with the signal's reason.
 */
export function openSession({ url, headers, timeoutMs, signal }: ConnectOptions): Promise<Session> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const socket = new WebSocket(url.replace(/^http/, 'ws'), {
      headers,
      handshakeTimeout: timeoutMs,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    const abort = (): void => socket.terminate();
    signal?.addEventListener('abort', abort, { once: true });
    const settled = (): void => signal?.removeEventListener('abort', abort);
    socket.once('open', () => {
      settled();
      resolve(new Session(socket));
    });
    socket.on('error', (error) => {
      settled();
      reject(signal?.aborted ? signal.reason : unreachable(url, error));
    });
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      const refuse = (text: string): void => {
        settled();
        reject(problemToError(response.statusCode ?? 0, text, url));
        socket.terminate();
      };
      void readRefusal(response).then(refuse);
    });
  });
}

function unreachable(url: string, { message }: Error): RiveraError {
  return new RiveraError(
    'unavailable',
    `Rivera's API did not answer at ${url}: ${message}. Check that it runs and that the address is right.`,
  );
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // What there is has to do; the status says the rest.
  }
  return text;
}
