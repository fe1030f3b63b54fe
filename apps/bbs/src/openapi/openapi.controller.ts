import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Public } from '#rivera/platform';

export const OPENAPI_TEXT = Symbol('openapi-text');

/** The API, described for programs. */
@Public()
@Controller('openapi.json')
export class OpenApiController {
  constructor(@Inject(OPENAPI_TEXT) private readonly text: () => Promise<string>) {}

  @Get()
  @Header('content-type', 'application/json')
  document(): Promise<string> {
    return this.text();
  }
}
