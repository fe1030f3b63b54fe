import type * as wire from '#rivera/diego-wire';
import {
  type AcceptedReport,
  type ActualLRPKey,
  type CellReport,
  CellReportBody,
  parse,
} from '#rivera/models';
import type { CellReports } from '../../cells/cell-reports.js';
import { CellParams, DomainParams } from '../../http/params.js';
import { DISAGREEMENTS, invalidField } from '../disagreements.js';
import { recordOf } from '../mapping/records.js';

type MaybeKey = wire.ActualLRPKey | null | undefined;
type MaybeInstanceKey = wire.ActualLRPInstanceKey | null | undefined;

/** Which instance, and of which cell, a report is about, and what the report says. */
interface Report {
  type: CellReport['type'];
  key?: { processGuid?: string; index?: number };
  instanceKey: MaybeInstanceKey;
  details?: object;
  zone?: string;
  /** Of the request. */
  traceId?: string;
}

/**
 * What cells report, as the same reports that Rivera's own cells make. The wire has no epoch: whoever has a certificate
 * speaks for the cell that its request names.
 */
export class WireCellReports {
  constructor(private readonly reports: CellReports) {}

  /** Errors: `invalid-request`, and those of the report. */
  async tell({ type, key = {}, instanceKey, details, zone = '', traceId }: Report): Promise<AcceptedReport> {
    if (!instanceKey) throw invalidField('actual_lrp_instance_key');
    const { instanceGuid, cellId } = instanceKey;
    parse(CellParams, { cellId });
    const { processGuid, index } = key;
    const report = parse(CellReportBody, { type, processGuid, index, instanceGuid, ...details });
    return this.reports.applyAlone({ cellId: cellId ?? '', zone, traceId }, report as CellReport);
  }

  /** Errors: `invalid-request`, and those of the report. */
  async tellOfTask(
    cellId: string | undefined,
    report: object,
    traceId: string | undefined,
  ): Promise<AcceptedReport> {
    if (cellId !== undefined) parse(CellParams, { cellId });
    const reporter = { cellId: cellId ?? '', zone: '', traceId };
    return this.reports.applyAlone(reporter, parse(CellReportBody, report) as CellReport);
  }
}

/** Errors: `invalid-request` unless the key is complete. */
export function requireKey(key: MaybeKey): ActualLRPKey & { domain: string } {
  if (!key) throw invalidField('actual_lrp_key');
  const { processGuid = '', index = 0, domain = '' } = key;
  parse(DomainParams, { domain });
  if (processGuid === '') throw invalidField('process_guid');
  if (index < 0) throw invalidField('index');
  return { processGuid, index, domain };
}

/** How an instance runs, as both `start` and `evacuate_running` say it. */
export function startedOf(request: {
  actualLrpNetInfo?: wire.ActualLRPNetInfo | null;
  routable?: boolean | null;
}): { netInfo: object; routable: boolean } {
  const { actualLrpNetInfo } = request;
  if (!actualLrpNetInfo) throw invalidField('actual_lrp_net_info');
  const routable = request.routable ?? DISAGREEMENTS.routableOfOldCells;
  return { netInfo: { ports: [], ...recordOf('ActualLRPNetInfo', actualLrpNetInfo) }, routable };
}
