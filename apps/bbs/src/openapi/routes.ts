import { type HttpStatus, RequestMethod } from '@nestjs/common';
import {
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import { PUBLIC_ROUTE, ROUTE_SCOPES, type Scope } from '#rivera/platform';
import type { Class } from './class-schemas.js';

/** What a handler takes from a request: all of a body, query or path as a class, or one header or part by name. */
export interface Argument {
  from: 'body' | 'query' | 'path' | 'header';
  /** The name of the one header or part; absent for all of it. */
  name?: string;
  type: Class;
}

/** One route of the app, as the decorators of its handler describe it. */
export interface Route {
  controller: Class;
  handler: string;
  /** In lower case, as OpenAPI wants it. */
  method: string;
  /** `/v1/tasks/{taskGuid}`. */
  path: string;
  /** Of the answer when all goes well. */
  status: number;
  /** Undefined: needs no token. */
  scopes: readonly Scope[] | undefined;
  arguments: Argument[];
}

/** `RouteParamtypes` of Nest, which it does not export. */
const SOURCES: Record<string, Argument['from']> = { 3: 'body', 4: 'query', 5: 'path', 6: 'header' };

/** Every route of the app, in the order in which its controllers declare them. */
export function routesOf(discovery: DiscoveryService): Route[] {
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ metatype }) => {
    const controller = metatype as Class;
    const handlers = scanner.getAllMethodNames(controller.prototype as object);
    return handlers.flatMap((handler) => routeOf(controller, handler) ?? []);
  });
}

function routeOf(controller: Class, handler: string): Route | undefined {
  const prototype = controller.prototype as Record<string, object>;
  const target = prototype[handler]!;
  const path = Reflect.getMetadata(PATH_METADATA, target) as string | undefined;
  if (path === undefined) return undefined;
  const method = Reflect.getMetadata(METHOD_METADATA, target) as RequestMethod;
  const status = Reflect.getMetadata(HTTP_CODE_METADATA, target) as HttpStatus | undefined;
  const own = (key: string): unknown =>
    Reflect.getMetadata(key, target) ?? Reflect.getMetadata(key, controller);
  return {
    controller,
    handler,
    method: RequestMethod[method].toLowerCase(),
    path: fullPath(Reflect.getMetadata(PATH_METADATA, controller) as string, path),
    status: status ?? (method === RequestMethod.POST ? 201 : 200),
    scopes: own(PUBLIC_ROUTE) === true ? undefined : ((own(ROUTE_SCOPES) ?? []) as Scope[]),
    arguments: argumentsOf(controller, handler),
  };
}

function fullPath(...parts: string[]): string {
  const names = parts.flatMap((part) => part.split('/')).filter((part) => part !== '');
  return `/${names.map((name) => name.replace(/^:(.+)$/, '{$1}')).join('/')}`;
}

function argumentsOf(controller: Class, handler: string): Argument[] {
  const found = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<
    string,
    { index: number; data?: unknown }
  >;
  const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler) as Class[];
  return Object.entries(found).flatMap(([key, { index, data }]) => {
    const from = SOURCES[key.split(':', 1)[0] ?? ''];
    if (from === undefined) return [];
    return [{ from, type: types[index]!, ...(typeof data === 'string' && { name: data }) }];
  });
}
