import { applyDecorators, SetMetadata } from '@nestjs/common';

import type { Scope } from './scopes.js';

export const ROUTE_SCOPES = 'rivera:route-scopes';
export const CELL_ROUTE = 'rivera:cell-route';

/** The token needs every one of these scopes. `@Scopes()` without any: a valid token is enough. */
export function Scopes(...scopes: Scope[]): MethodDecorator & ClassDecorator {
  return SetMetadata(ROUTE_SCOPES, scopes);
}

/** For cell agents only: needs the scope `cell`, and the route parameter `cellId` must be the token's own cell. */
export function CellRoute(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    SetMetadata(ROUTE_SCOPES, ['cell'] satisfies Scope[]),
    SetMetadata(CELL_ROUTE, true),
  );
}
