import { Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { DocsController } from './docs.controller.js';
import { OPENAPI_TEXT, OpenApiController } from './openapi.controller.js';
import { routesOf } from './routes.js';

/** The document is made when somebody asks for the first time, so that nobody waits for it at start-up. */
function lazyText(discovery: DiscoveryService): () => Promise<string> {
  let text: Promise<string> | undefined;
  const build = async (): Promise<string> => {
    const { buildOpenApiDocument } = await import('./openapi-document.js');
    return JSON.stringify(buildOpenApiDocument(routesOf(discovery)));
  };
  return () => (text ??= build());
}

/** The description of the API: `GET /openapi.json` and, for people, `GET /docs`. */
@Module({
  imports: [DiscoveryModule],
  controllers: [OpenApiController, DocsController],
  providers: [{ provide: OPENAPI_TEXT, inject: [DiscoveryService], useFactory: lazyText }],
})
export class OpenApiModule {}
