import { RiveraError } from '#rivera/models';
import type { ContainerSpec, GardenCapabilities } from './container.js';

/** Throws `unsupported` for the first promise a spec asks for that a backend cannot keep. */
export function refuseUnsupported(spec: ContainerSpec, capabilities: GardenCapabilities): void {
  const asked: [boolean, keyof GardenCapabilities, string][] = [
    [spec.privileged, 'privileged', 'Privileged container creation is disabled on this cell.'],
    [(spec.bindMounts ?? []).length > 0, 'bindMounts', 'This cell cannot mount directories into containers.'],
    [(spec.tmpfs ?? []).length > 0, 'tmpfs', 'This cell cannot give containers a tmpfs.'],
    [spec.readOnlyRootfs ?? false, 'readOnlyRootfs', 'This cell cannot make root filesystems read-only.'],
    [spec.egress !== undefined, 'egress', 'This cell cannot hold containers to egress rules.'],
    [spec.main?.tty ?? false, 'terminal', 'This cell cannot give processes a terminal.'],
  ];
  for (const [isAsked, capability, message] of asked) {
    if (isAsked && !capabilities[capability]) throw new RiveraError('unsupported', message);
  }
}
