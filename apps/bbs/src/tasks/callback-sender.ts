import { Inject, Injectable, Optional } from '@nestjs/common';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';

/** Diego BBS, communication time-out. */
const TIMEOUT_MS = 10_000;

/** The certificate that `bbs` shows to whom it calls, and the authority it trusts beside the public ones. PEM. */
export interface CallbackTls {
  cert: Buffer;
  key: Buffer;
  ca: Buffer;
}
export const CALLBACK_TLS = Symbol('callback-tls');

/** Posts JSON to the URLs that clients gave. */
@Injectable()
export class CallbackSender {
  private readonly tls: object;

  constructor(@Optional() @Inject(CALLBACK_TLS) tls?: CallbackTls) {
    this.tls = tls === undefined ? {} : { ...tls, ca: [...rootCertificates, tls.ca] };
  }

  /** The status of the answer, whose body is not read. Errors: whatever keeps it from being one within 10 s. */
  async post(url: string, body: string): Promise<number> {
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    return new Promise((resolve, reject) => {
      const request = url.startsWith('https:')
        ? requestHttps(url, { ...options, ...this.tls })
        : requestHttp(url, options);
      request.on('error', reject);
      request.on('response', (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      request.end(body);
    });
  }
}
