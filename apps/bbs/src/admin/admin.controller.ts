import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  EXPORT_VERSION,
  type ExportHeader,
  ExportSum,
  ImportRecordsRequest,
  ImportRequest,
  type ImportResult,
  RiveraError,
} from '#rivera/models';
import { type Caller, Clock, CurrentUser, Ids, type Principal, Scopes } from '#rivera/platform';
import { Backup, Store } from '#rivera/store';
import { AdminAudit } from './admin-audit.js';
import { StoreImport } from './store-import.js';

/** Of text that goes out at once, about. */
const CHUNK_CHARACTERS = 65_536;

/** Everything there is, for operators. */
@Controller('v1/admin')
export class AdminController {
  constructor(
    private readonly backup: Backup,
    private readonly store: Store,
    private readonly imports: StoreImport,
    private readonly audit: AdminAudit,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Records of all domains, with their secrets: a token that is limited to some domains does not get it. */
  @Get('export')
  @Scopes('admin:read')
  async exportStore(@CurrentUser() user: Principal, @Res() reply: FastifyReply): Promise<void> {
    requireAllDomains(user);
    const header: ExportHeader = {
      format: 'rivera-export',
      version: EXPORT_VERSION,
      schema: this.store.schema.version,
      exportedAt: this.clock.now(),
      epoch: this.ids.uuid(),
      lastEvent: await this.backup.lastEvent(),
    };
    reply.type('application/x-ndjson; charset=utf-8');
    // Routes of GET answer HEAD too.
    if (reply.request.method === 'HEAD') return void (await reply.send());
    await reply.send(Readable.from(this.chunks(header, user, reply.request.id), { objectMode: false }));
  }

  /** Errors: `unsupported`, `precondition-failed`. */
  @Post('imports')
  @HttpCode(200)
  @Scopes('admin:write')
  async begin(@Body() request: ImportRequest, @CurrentUser() user: Principal): Promise<{ found: number }> {
    requireAllDomains(user);
    return { found: await this.imports.begin(request) };
  }

  /** Each record is written or refused by itself. Errors: `unsupported`. */
  @Post('imports/records')
  @HttpCode(200)
  @Scopes('admin:write')
  async importRecords(
    @Body() request: ImportRecordsRequest,
    @CurrentUser() user: Caller,
  ): Promise<ImportResult> {
    requireAllDomains(user);
    return this.imports.add(request, user);
  }

  private async *chunks(header: ExportHeader, user: Principal, traceId: string): AsyncGenerator<string> {
    const sum = new ExportSum();
    const audited = this.audit.beganExport(user, header.epoch, traceId);
    let isWhole = false;
    try {
      const first = JSON.stringify(header);
      sum.add(first);
      let chunk = `${first}\n`;
      for await (const { kind, text } of this.backup.lines()) {
        sum.add(text, kind);
        chunk += `${text}\n`;
        if (chunk.length < CHUNK_CHARACTERS) continue;
        yield chunk;
        chunk = '';
      }
      yield `${chunk}${JSON.stringify(sum.end())}\n`;
      isWhole = true;
    } finally {
      audited.ended(sum.counts, isWhole);
    }
  }
}

function requireAllDomains({ subject, domains }: Principal): void {
  if (domains === undefined) return;
  throw new RiveraError(
    'forbidden',
    `The token of "${subject}" is limited to some domains, but exports and imports have all of them. Use one without "domains".`,
  );
}
