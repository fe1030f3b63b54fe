import { httpRequest } from './http-request.js';

export interface ApiAnswer {
  /** 0 when there was no answer. */
  status: number;
  /** Parsed JSON. */
  body: unknown;
}

/** The few requests the launcher makes to the cluster it started. */
export class Api {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async send(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<ApiAnswer> {
    const answer = await httpRequest({
      url: `${this.url}${path}`,
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer === undefined) return { status: 0, body: undefined };
    return { status: answer.status, body: answer.body === '' ? undefined : JSON.parse(answer.body) };
  }
}
