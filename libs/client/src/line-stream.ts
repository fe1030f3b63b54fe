import type { HttpRequest, HttpTransport } from './http-transport.js';
import { FailedAttempt } from './failed-attempt.js';

/** The lines of a streamed answer, without their line feeds. Not begun again when it breaks off. */
export async function* readLines(http: HttpTransport, request: HttpRequest): AsyncGenerator<string> {
  const ended = new AbortController();
  const signal =
    request.signal === undefined ? ended.signal : AbortSignal.any([request.signal, ended.signal]);
  try {
    const answer = await http.open(request, signal);
    const chunks = answer.chunks();
    let rest = '';
    for (;;) {
      const { value, done } = await http.reading(request, signal, () => chunks.next());
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } catch (error) {
    throw error instanceof FailedAttempt ? error.error : error;
  } finally {
    ended.abort();
  }
}
