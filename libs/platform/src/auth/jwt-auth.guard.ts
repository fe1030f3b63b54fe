import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';

import type { HttpRequest } from '../http/http-types.js';
import { explainRefusedToken } from './explain-refused-token.js';
import { JwtStrategy } from './jwt.strategy.js';
import { PUBLIC_ROUTE } from './public.decorator.js';

/** Global: every HTTP route needs a valid token unless it is `@Public()`. Messages of a mailbox pass; Redis guards those. */
@Injectable()
export class JwtAuthGuard extends AuthGuard() {
  constructor(
    private readonly strategy: JwtStrategy,
    private readonly reflector: Reflector,
  ) {
    // Passport takes a strategy in place of its name. By name, a second app in the process would replace ours.
    super({ defaultStrategy: strategy });
  }

  override canActivate(
    context: ExecutionContext,
  ): ReturnType<InstanceType<ReturnType<typeof AuthGuard>>['canActivate']> {
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, targets)) return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    request.user = this.strategy.known(request);
    return request.user !== undefined || super.canActivate(context);
  }

  /** @throws RiveraError `unauthenticated` with a sentence on what is wrong with the token */
  override handleRequest<T>(error: unknown, principal: unknown, info: unknown, context: ExecutionContext): T {
    if (!error && principal) return principal as T;
    const { authorization } = context.switchToHttp().getRequest<HttpRequest>().headers;
    throw explainRefusedToken(error ?? info, authorization);
  }
}
