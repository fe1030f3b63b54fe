import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import type { HttpRequest } from '../http/http-types.js';
import type { Principal } from './principal.js';

/** Hands the `Principal` of the request to a handler: `find(@CurrentUser() user: Principal)`. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined => {
    return context.switchToHttp().getRequest<HttpRequest>().user;
  },
);
