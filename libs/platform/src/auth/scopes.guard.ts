import { RiveraError } from '#rivera/models';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import type { HttpRequest } from '../http/http-types.js';
import type { Principal } from './principal.js';
import { PUBLIC_ROUTE } from './public.decorator.js';
import { CELL_ROUTE, ROUTE_SCOPES } from './scopes.decorator.js';
import type { Scope } from './scopes.js';

/** Global, after `JwtAuthGuard`: the token must hold the route's scopes, and a cell's token speaks for that cell only. */
@Injectable()
export class ScopesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  /** @throws RiveraError `forbidden`; also for a route that declares no scopes, so that forgetting them opens nothing */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http' || this.read(PUBLIC_ROUTE, context) === true) return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const { user } = request;
    const needed = this.read<Scope[]>(ROUTE_SCOPES, context);
    if (user === undefined || needed === undefined) {
      throw new RiveraError('forbidden', 'This route is closed because it declares no scopes.');
    }
    const missing = needed.filter((scope) => !user.scopes.includes(scope));
    if (missing.length > 0) {
      const names = missing.map((scope) => `"${scope}"`).join(' and ');
      throw new RiveraError('forbidden', `The token of "${user.subject}" lacks the scope ${names}.`);
    }
    if (this.read(CELL_ROUTE, context) === true) requireOwnCell(user, request.params?.['cellId']);
    return true;
  }

  private read<T = boolean>(key: string, context: ExecutionContext): T | undefined {
    return this.reflector.getAllAndOverride<T | undefined>(key, [context.getHandler(), context.getClass()]);
  }
}

function requireOwnCell(user: Principal, cellId: string | undefined): void {
  if (user.cellId === undefined) {
    throw new RiveraError(
      'forbidden',
      'The token names no cell; a cell agent needs one with the claim "cellId".',
    );
  }
  if (user.cellId !== cellId) {
    const message = `The token is for cell "${user.cellId}" and cannot speak for cell "${cellId ?? ''}".`;
    throw new RiveraError('forbidden', message);
  }
}
