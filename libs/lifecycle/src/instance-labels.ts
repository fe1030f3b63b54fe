import type { ActualLRP, ActualLRPKey, DesiredLRPSchedulingInfo, InternalRoute } from '#rivera/models';

/** What an instance is known by while it runs. */
export type InstanceLabels = Pick<ActualLRP, 'metricTags' | 'internalRoutes'>;

/** The router whose routes name instances for each other (Diego, internal routes). */
const INTERNAL_ROUTER = 'internal-router';

/**
 * Metric tags and internal routes of one running instance. They follow from its desired LRP, so no cell has to be asked
 * for them: they are written when it starts and in the commit that changes the desired LRP (Diego has the cell report
 * them, and converges what it reported too late). Routes of another form than `[{ hostname }]` are left out.
 */
export function labelsOf(
  desired: Pick<DesiredLRPSchedulingInfo, 'metricTags' | 'routes'> | undefined,
  { index, instanceGuid }: Pick<ActualLRPKey, 'index'> & { instanceGuid?: string },
): InstanceLabels {
  const values = { INDEX: String(index), INSTANCE_GUID: instanceGuid ?? '' };
  const tags = Object.entries(desired?.metricTags ?? {}).map(([name, tag]): [string, string] => [
    name,
    tag.dynamic === undefined ? (tag.static ?? '') : values[tag.dynamic],
  ]);
  const routes = internalRoutesOf(desired?.routes?.[INTERNAL_ROUTER]);
  return {
    metricTags: tags.length === 0 ? undefined : Object.fromEntries(tags),
    internalRoutes: routes.length === 0 ? undefined : routes,
  };
}

/** Is the record known by something else than these labels? */
export function isLabelledOtherwise(actual: ActualLRP, labels: InstanceLabels): boolean {
  const essence = ({ metricTags, internalRoutes }: InstanceLabels) =>
    JSON.stringify([metricTags ?? null, internalRoutes ?? null]);
  return essence(actual) !== essence(labels);
}

function internalRoutesOf(routes: unknown): InternalRoute[] {
  if (!Array.isArray(routes)) return [];
  return (routes as unknown[]).flatMap((route) => {
    const { hostname } = (route ?? {}) as Partial<InternalRoute>;
    return typeof hostname === 'string' && hostname !== '' ? [{ hostname }] : [];
  });
}
