import { Controller, Get, HttpCode, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExecRequest, parse, RiveraError, type SessionRequest } from '#rivera/models';
import { acceptWebSocket, CurrentUser, type Principal, requireUpgrade, Scopes } from '#rivera/platform';
import { isData, Session } from '#rivera/session';
import { ProcessRepository } from '#rivera/store';
import { InstanceParams } from '../http/params.js';
import { StreamInQuery, StreamOutQuery } from '../http/queries.js';
import { CellSessions } from '../sessions/cell-sessions.js';
import type { PlacedInstance } from '../sessions/runs.js';
import { ExecAudit } from './exec-audit.js';
import { enterableInstance } from './enterable-instance.js';
import { relay } from './relay.js';

/** How long a client may take to say what it wants to run. */
const START_TIMEOUT_MS = 30_000;

/** One request to enter an instance: who asks, and its two ends in HTTP. */
interface Visit {
  user: Principal;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Within a running instance: run a further process, copy files in and out. All of them are WebSockets. */
@Controller('v1/actual-lrps/:processGuid/:index')
@Scopes('lrps:exec')
export class ExecController {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly sessions: CellSessions,
    private readonly audit: ExecAudit,
  ) {}

  /** The client's first message is the `ExecRequest`. */
  @Get('exec')
  @HttpCode(101)
  async exec(
    @Param() params: InstanceParams,
    @CurrentUser() user: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.enter(params, { user, request, reply }, async ({ instanceGuid }, client) => {
      const first = await client.next(START_TIMEOUT_MS);
      if (first === undefined || isData(first) || first.type !== 'start') {
        throw new RiveraError('invalid-request', 'The first message must be {"type":"start","request":{…}}.');
      }
      return { kind: 'exec', guid: instanceGuid, exec: parse(ExecRequest, first.request) };
    });
  }

  /** The client sends a tar stream, which is unpacked. */
  @Get('stream-in')
  @HttpCode(101)
  async streamIn(
    @Param() params: InstanceParams,
    @Query() { path, user: owner }: StreamInQuery,
    @CurrentUser() user: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.enter(params, { user, request, reply }, ({ instanceGuid }) => ({
      kind: 'stream-in',
      guid: instanceGuid,
      path,
      ...(owner !== undefined && { user: owner }),
    }));
  }

  /** The client gets a tar stream. */
  @Get('stream-out')
  @HttpCode(101)
  async streamOut(
    @Param() params: InstanceParams,
    @Query() { path }: StreamOutQuery,
    @CurrentUser() user: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.enter(params, { user, request, reply }, ({ instanceGuid }) => ({
      kind: 'stream-out',
      guid: instanceGuid,
      path,
    }));
  }

  /** The cell is there before the client is let in, so that what stands in the way is told as a problem document. */
  private async enter(
    params: InstanceParams,
    { user, request, reply }: Visit,
    wish: (instance: PlacedInstance, client: Session) => SessionRequest | Promise<SessionRequest>,
  ): Promise<void> {
    const instance = enterableInstance(await this.processes.actualsOf(params.processGuid), params, user);
    requireUpgrade(request);
    const cell = await this.sessions.connect(instance.cellId);
    let client: Session | undefined;
    try {
      client = new Session(await acceptWebSocket(request, reply));
      const wanted = await wish(instance, client);
      const entry = this.audit.began({ user, instance, wanted, traceId: request.id });
      // A cell that has gone meanwhile is noticed, and told of, by the relay.
      await cell.send({ type: 'open', request: wanted }).catch(() => undefined);
      entry.ended(await relay({ client, cell, expiresAt: user.expiresAt }));
    } catch (error) {
      cell.destroy();
      client?.fail(error);
      // The client was told. What was not foreseen belongs into the log as well.
      if (client === undefined || !(error instanceof RiveraError)) throw error;
    }
  }
}
