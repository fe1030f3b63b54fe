import * as wire from '#rivera/diego-wire';
import { DomainRequest, parse } from '#rivera/models';
import type { CellRepository } from '#rivera/store';
import type { Domains } from '../../domains/domains.service.js';
import { DomainParams } from '../../http/params.js';
import { wireCell } from '../mapping/cells.js';
import type { RpcRoutes, WireRoutes } from '../wire-route.js';

export interface DomainRoutesNeed {
  rpcs: RpcRoutes;
  domains: Domains;
  cells: CellRepository;
  /** Where a cell's state can be asked for; empty when nowhere. */
  repUrlOf: (cellId: string) => string;
}

/** Ping, domains and cells (Diego BBS §1.2). What the request of a list holds nobody reads. */
export function domainRoutes({ rpcs, domains, cells, repUrlOf }: DomainRoutesNeed): WireRoutes {
  return {
    '/v1/ping': rpcs.rpc({
      response: wire.PingResponse,
      handle: async () => ({ available: true }),
    }),
    '/v1/domains/list': rpcs.rpc({
      response: wire.DomainsResponse,
      handle: async (_request, caller) => ({
        domains: (await domains.fresh(caller)).map(({ domain }) => domain),
      }),
    }),
    '/v1/domains/upsert': rpcs.rpc({
      request: wire.UpsertDomainRequest,
      response: wire.UpsertDomainResponse,
      changes: 'client',
      handle: async ({ domain = '', ttl = 0 }, caller) => {
        parse(DomainParams, { domain });
        const { ttlSeconds } = parse(DomainRequest, { ttlSeconds: ttl });
        await domains.upsert(domain, ttlSeconds, caller);
        return {};
      },
    }),
    '/v1/cells/list.r1': rpcs.rpc({
      response: wire.CellsResponse,
      handle: async () => {
        const present = (await cells.list()).filter(({ state }) => state === 'PRESENT');
        return { cells: present.map((cell) => wireCell(cell, repUrlOf(cell.cellId))) };
      },
    }),
  };
}
