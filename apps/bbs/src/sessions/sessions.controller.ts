import { Controller, Get, HttpCode, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptWebSocket, CellRoute, requireUpgrade } from '#rivera/platform';
import { Session } from '#rivera/session';
import { CellSessions } from './cell-sessions.js';

/** Where cells connect when they are wanted. */
@Controller('v1/cells/:cellId/sessions')
@CellRoute()
export class SessionsController {
  constructor(private readonly sessions: CellSessions) {}

  @Get(':sessionId')
  @HttpCode(101)
  async join(
    @Param('cellId') cellId: string,
    @Param('sessionId') sessionId: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireUpgrade(request);
    const join = this.sessions.claim(cellId, sessionId);
    join(new Session(await acceptWebSocket(request, reply)));
  }
}
