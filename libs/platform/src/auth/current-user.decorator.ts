import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import type { HttpRequest } from '../http/http-types.js';
import type { Caller } from './principal.js';

/** Hands the `Caller` of the request to a handler: `find(@CurrentUser() user: Caller)`. On public routes there is none. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller | undefined => {
    const { id: traceId, user } = context.switchToHttp().getRequest<HttpRequest>();
    return user && { ...user, traceId };
  },
);
