import type * as wire from '#rivera/diego-wire';
import { ImageLayerDigestAlgorithm, ImageLayerType, toNumber } from '#rivera/diego-wire';

const NS_PER_MS = 1_000_000;
const MS_PER_S = 1_000;

const ALGORITHMS: Partial<Record<number, string>> = {
  [ImageLayerDigestAlgorithm.SHA256]: 'sha256',
  [ImageLayerDigestAlgorithm.SHA512]: 'sha512',
};

type Layered = Pick<wire.TaskDefinition, 'imageLayers' | 'cachedDependencies' | 'legacyDownloadUser'>;

/**
 * A desired LRP for clients that know no image layers (Diego BBS, r2): shared layers are cached dependencies, exclusive
 * ones are downloaded in front of the set-up.
 */
export function desiredLRPAsR2(desired: wire.DesiredLRP): wire.DesiredLRP {
  const downloads = exclusiveDownloads(desired);
  return {
    ...desired,
    cachedDependencies: withSharedLayers(desired),
    setup: downloads === undefined ? desired.setup : inFront(downloads, desired.setup),
    imageLayers: [],
  };
}

/** The same for a task, whose downloads come in front of its action. */
export function taskAsR2(task: wire.Task): wire.Task {
  const { taskDefinition: definition } = task;
  if (!definition) return task;
  const downloads = exclusiveDownloads(definition);
  return {
    ...task,
    taskDefinition: {
      ...definition,
      cachedDependencies: withSharedLayers(definition),
      action: downloads === undefined ? definition.action : inFront(downloads, definition.action),
      imageLayers: [],
    },
  };
}

/**
 * A desired LRP for clients that know no cached dependencies either, and time limits in other units (Diego BBS,
 * events/lrp_instances r0).
 */
export function desiredLRPAsV0(desired: wire.DesiredLRP): wire.DesiredLRP {
  const { setup, action, monitor, startTimeoutMs, ...rest } = desiredLRPAsR2(desired);
  const downloads = dependencyDownloads(rest);
  const prepared = downloads === undefined ? setup : inFront(downloads, setup);
  const seconds = Math.floor(toNumber(startTimeoutMs) / MS_PER_S);
  return {
    ...rest,
    setup: prepared && withDeprecatedTimeouts(prepared),
    action: action && withDeprecatedTimeouts(action),
    monitor: monitor && withDeprecatedTimeouts(monitor),
    startTimeoutMs,
    deprecatedStartTimeoutS: seconds || undefined,
    cachedDependencies: [],
  };
}

/** The same for a task (Diego BBS, events/tasks r0). */
export function taskAsV0(task: wire.Task): wire.Task {
  const { taskDefinition: definition, ...rest } = taskAsR2(task);
  if (!definition) return rest;
  const downloads = dependencyDownloads(definition);
  const action = downloads === undefined ? definition.action : inFront(downloads, definition.action);
  return {
    ...rest,
    taskDefinition: {
      ...definition,
      action: action && withDeprecatedTimeouts(action),
      cachedDependencies: [],
    },
  };
}

function dependencyDownloads({
  cachedDependencies = [],
  legacyDownloadUser,
}: Layered): wire.Action | undefined {
  if (cachedDependencies.length === 0) return undefined;
  const actions = cachedDependencies.map((dependency) => downloadOf(dependency, legacyDownloadUser));
  return { parallelAction: { actions } };
}

function withSharedLayers({ imageLayers = [], cachedDependencies = [] }: Layered): wire.CachedDependency[] {
  const shared = imageLayers.filter(({ layerType }) => layerType === ImageLayerType.SHARED);
  return [...shared.map(dependencyOf), ...cachedDependencies];
}

function dependencyOf(layer: wire.ImageLayer): wire.CachedDependency {
  const { name, url, destinationPath, digestValue } = layer;
  const algorithm = ALGORITHMS[layer.digestAlgorithm ?? 0];
  return {
    name,
    from: url,
    to: destinationPath,
    cacheKey: cacheKeyOf(layer) ?? url,
    checksumAlgorithm: algorithm,
    checksumValue: digestValue,
  };
}

function exclusiveDownloads({ imageLayers = [], legacyDownloadUser }: Layered): wire.Action | undefined {
  const exclusive = imageLayers.filter(({ layerType }) => layerType === ImageLayerType.EXCLUSIVE);
  if (exclusive.length === 0) return undefined;
  const actions = exclusive.map((layer) => ({
    downloadAction: {
      artifact: layer.name,
      from: layer.url,
      to: layer.destinationPath,
      cacheKey: cacheKeyOf(layer),
      user: legacyDownloadUser,
      checksumAlgorithm: ALGORITHMS[layer.digestAlgorithm ?? 0],
      checksumValue: layer.digestValue,
    },
  }));
  return { parallelAction: { actions } };
}

function cacheKeyOf({ digestAlgorithm, digestValue }: wire.ImageLayer): string | undefined {
  const algorithm = ALGORITHMS[digestAlgorithm ?? 0];
  return algorithm === undefined || !digestValue ? undefined : `${algorithm}:${digestValue}`;
}

function downloadOf(dependency: wire.CachedDependency, user: string | undefined): wire.Action {
  const { name, from, to, cacheKey, logSource, checksumAlgorithm, checksumValue } = dependency;
  return {
    downloadAction: { artifact: name, from, to, cacheKey, logSource, user, checksumAlgorithm, checksumValue },
  };
}

function inFront(downloads: wire.Action, action: wire.Action | null | undefined): wire.Action {
  return action ? { serialAction: { actions: [downloads, action] } } : downloads;
}

function withDeprecatedTimeouts(action: wire.Action): wire.Action {
  const { timeoutAction, emitProgressAction, tryAction, parallelAction, serialAction, codependentAction } =
    action;
  const inner = <T extends { action?: wire.Action | null }>(wrapper: T): T => ({
    ...wrapper,
    action: wrapper.action && withDeprecatedTimeouts(wrapper.action),
  });
  const all = <T extends { actions?: wire.Action[] }>(list: T): T => ({
    ...list,
    actions: list.actions?.map(withDeprecatedTimeouts),
  });
  return {
    ...action,
    ...(timeoutAction && {
      timeoutAction: {
        ...inner(timeoutAction),
        deprecatedTimeoutNs: toNumber(timeoutAction.timeoutMs) * NS_PER_MS,
      },
    }),
    ...(emitProgressAction && { emitProgressAction: inner(emitProgressAction) }),
    ...(tryAction && { tryAction: inner(tryAction) }),
    ...(parallelAction && { parallelAction: all(parallelAction) }),
    ...(serialAction && { serialAction: all(serialAction) }),
    ...(codependentAction && { codependentAction: all(codependentAction) }),
  };
}
