import { aDesiredLRP } from '#test/builders.js';
import { DesiredLRPRequest } from './desired-lrp.js';
import { RiveraError } from './errors.js';
import { parse } from './validation/parse.js';

it.each(['tcp', 'udp', 'icmp', 'all'])(
  'ports of a %s rule that are null are a fault, not a crash',
  (protocol) => {
    const egressRules = [{ protocol, destinations: ['0.0.0.0/0'], ports: null }];
    expect(() => parse(DesiredLRPRequest, { ...aDesiredLRP(), egressRules })).toThrow(RiveraError);
  },
);
