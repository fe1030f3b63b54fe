import {
  type handleUnaryCall,
  type MethodDefinition,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  type Codec,
  FetchAllRequest,
  FetchAllResponse,
  FetchRequest,
  FetchResponse,
} from '#rivera/diego-wire';
import { LockRequest, LockResponse, ReleaseRequest, ReleaseResponse } from '#rivera/diego-wire';
import type { ListenAddress, RiveraLogger } from '#rivera/platform';
import type { MutualTls } from '../diego.config.js';
import { type Locket, LocketError } from './locket.js';

/** Time that calls under way have to end. */
const CLOSE_MS = 1_000;

/** locket.proto, with our codecs. */
const LOCKET: ServiceDefinition = {
  Lock: method('Lock', LockRequest, LockResponse),
  Fetch: method('Fetch', FetchRequest, FetchResponse),
  Release: method('Release', ReleaseRequest, ReleaseResponse),
  FetchAll: method('FetchAll', FetchAllRequest, FetchAllResponse),
};

function method<Q extends object, A extends object>(
  name: string,
  request: Codec<Q>,
  response: Codec<A>,
): MethodDefinition<Q, A> {
  return {
    path: `/models.Locket/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => request.encode(message),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => response.encode(message),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

export interface LocketServerOptions {
  locket: Locket;
  listen: ListenAddress;
  tls?: MutualTls;
  logger: RiveraLogger;
}

/** Locks and presences over gRPC. */
export class LocketServer {
  private readonly server = new Server();
  /** Where it listens; 0 before it does. */
  port = 0;

  constructor(private readonly options: LocketServerOptions) {
    const { locket } = options;
    const implementation: UntypedServiceImplementation = {
      Lock: this.unary('Lock', (request: LockRequest) => locket.lock(request)),
      Fetch: this.unary('Fetch', (request: FetchRequest) => locket.fetch(request)),
      Release: this.unary('Release', (request: ReleaseRequest) => locket.release(request)),
      FetchAll: this.unary('FetchAll', (request: FetchAllRequest) => locket.fetchAll(request)),
    };
    this.server.addService(LOCKET, implementation);
  }

  async listen(): Promise<void> {
    const { listen, tls } = this.options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.cert }], true);
    const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    this.port = await new Promise((resolve, reject) => {
      this.server.bindAsync(`${host}:${listen.port}`, credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  async close(): Promise<void> {
    const force = setTimeout(() => this.server.forceShutdown(), CLOSE_MS);
    await new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    clearTimeout(force);
  }

  private unary<Q, A>(method: string, answer: (request: Q) => Promise<A>): handleUnaryCall<Q, A> {
    return ({ request }, callback) => void this.answer(method, () => answer(request), callback);
  }

  private async answer<A>(
    method: string,
    answer: () => Promise<A>,
    callback: sendUnaryData<A>,
  ): Promise<void> {
    let response: A;
    try {
      response = await answer();
    } catch (error) {
      callback(this.refusal(method, error));
      return;
    }
    callback(null, response);
  }

  private refusal(method: string, error: unknown): Pick<LocketError, 'code' | 'details'> {
    if (error instanceof LocketError) return error;
    this.options.logger.error('failed-locket-call', { method, error });
    return { code: status.UNAVAILABLE, details: error instanceof Error ? error.message : String(error) };
  }
}
