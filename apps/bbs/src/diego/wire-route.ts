import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Codec, Error as WireError } from '#rivera/diego-wire';
import type { RiveraLogger } from '#rivera/platform';
import { type ErrorOverrides, faultError, wireErrorOf } from './disagreements.js';

/** One call as its handler sees it. */
export interface WireCall {
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer;
}

export interface WireRoute {
  method: 'GET' | 'POST';
  serve(call: WireCall): Promise<void>;
}

/** Path → what is there. */
export type WireRoutes = Readonly<Record<string, WireRoute>>;

export interface Rpc<Request, Response extends object> {
  /** Absent: the request says nothing, and its body is not looked at. */
  request?: Codec<Request>;
  response: Pick<Codec<Response>, 'encode'>;
  /** What it throws is answered in field 1. */
  handle: (request: Request) => Promise<Response>;
  /** Errors that this route numbers otherwise. */
  errors?: ErrorOverrides;
  /** What an answer with an error says besides. */
  withError?: (error: WireError) => Response;
}

/** Makes routes of procedures: protobuf in and out, always status 200 (Diego BBS §1.1). */
export class RpcRoutes {
  constructor(private readonly logger: RiveraLogger) {}

  rpc<Request, Response extends object>(rpc: Rpc<Request, Response>): WireRoute {
    return {
      method: 'POST',
      serve: async ({ request, response, body }) => {
        const answer = await this.answer(rpc, request, body);
        sendMessage(response, rpc.response.encode(answer));
      },
    };
  }

  private async answer<Request, Response extends object>(
    rpc: Rpc<Request, Response>,
    { url, headers }: IncomingMessage,
    body: Buffer,
  ): Promise<Response> {
    try {
      return await rpc.handle(rpc.request === undefined ? ({} as Request) : rpc.request.decode(body));
    } catch (error) {
      const known = wireErrorOf(error, rpc.errors);
      const traceId = headers['x-vcap-request-id'];
      if (known === undefined) this.logger.error('failed-wire-request', { route: url, traceId, error });
      else this.logger.debug('refused-wire-request', { route: url, traceId, reason: known.message });
      const told = known ?? faultError();
      return { ...rpc.withError?.(told), error: told } as Response;
    }
  }
}

export function sendMessage(response: ServerResponse, message: Buffer): void {
  response.writeHead(200, {
    'content-type': 'application/x-protobuf',
    'content-length': message.length,
  });
  response.end(message);
}
