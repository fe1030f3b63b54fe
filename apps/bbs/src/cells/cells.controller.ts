import { Controller, Get } from '@nestjs/common';
import type { Cell } from '#rivera/models';
import { Scopes } from '#rivera/platform';
import { CellRepository } from '#rivera/store';

/** Worker hosts, for people. */
@Controller('v1/cells')
export class CellsController {
  constructor(private readonly cells: CellRepository) {}

  @Get()
  @Scopes('cells:read')
  async list(): Promise<{ items: Cell[] }> {
    return { items: await this.cells.list() };
  }
}
