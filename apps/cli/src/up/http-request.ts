import { request as send, type RequestOptions } from 'node:http';

export interface HttpRequest extends RequestOptions {
  /** Absent when it goes to a socket (`socketPath`, `path`). */
  url?: string;
  body?: string;
}

export interface HttpAnswer {
  status: number;
  body: string;
}

/**
 * One request; undefined when nobody answers. The launcher stays for as long as the cluster runs, so it does without
 * client libraries and what they load.
 */
export function httpRequest({ url, body, ...rest }: HttpRequest): Promise<HttpAnswer | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: 5_000, ...rest };
    const asked = url === undefined ? send(options) : send(url, options);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', () => resolve(undefined));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end(body);
  });
}

/** Whether a GET is answered with success. */
export async function answers(request: HttpRequest): Promise<boolean> {
  const answer = await httpRequest({ timeout: 2_000, ...request });
  return answer !== undefined && answer.status >= 200 && answer.status < 300;
}
