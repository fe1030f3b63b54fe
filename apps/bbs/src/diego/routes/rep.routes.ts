import type { CellRepository, ProcessRepository, TaskRepository } from '#rivera/store';
import { cellState } from '../cell-state.js';
import { TOO_LARGE, type WireCall, type WireRoute } from '../wire-route.js';

const STATE_PATH = /^\/cells\/([^/]+)\/state$/;

export interface RepRoutesNeed {
  cells: CellRepository;
  processes: ProcessRepository;
  tasks: TaskRepository;
  repUrlOf: (cellId: string) => string;
}

/**
 * What clients ask a cell's rep for. Rivera's cells listen to nobody, so it is `bbs` that answers, under the `rep_url` that
 * it tells of each cell; undefined for any other path.
 */
export function repRoute(need: RepRoutesNeed, path: string): WireRoute | undefined {
  const [, cellId] = STATE_PATH.exec(path) ?? [];
  if (cellId === undefined) return undefined;
  return {
    method: 'GET',
    serve: (call) => answerState(need, cellId, call),
    refuseSize: (response) => sendJson(response, 413, { error: TOO_LARGE }),
  };
}

async function answerState(
  { cells, processes, tasks, repUrlOf }: RepRoutesNeed,
  cellId: string,
  { response }: WireCall,
): Promise<void> {
  const cell = await cells.get(cellId);
  if (cell === undefined) return sendJson(response, 404, { error: `there is no cell ${cellId}` });
  const [actualLRPs, ownTasks] = await Promise.all([processes.actualsOnCell(cellId), tasks.onCell(cellId)]);
  const infos = await processes.schedulingInfos([
    ...new Set(actualLRPs.map(({ processGuid }) => processGuid)),
  ]);
  const desired = new Map(infos.map((info) => [info.processGuid, info]));
  const state = cellState({ cell, actualLRPs, desired, tasks: ownTasks }, repUrlOf(cellId));
  // A rep that is not well says so, with its state all the same.
  return sendJson(response, cell.state === 'PRESENT' ? 200 : 503, state);
}

function sendJson(response: WireCall['response'], status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
