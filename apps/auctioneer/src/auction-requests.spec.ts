import { aDesiredLRP, aTag, aTask, aTaskDefinition, anActualLRP } from '#test/builders.js';
import { splitDesiredLRP } from '#rivera/models';
import { auctionOfInstance, auctionOfTask, workOfActual, workOfAuction } from './auction-requests.js';

const wishes = {
  cpuMillicores: 500,
  devices: [{ name: 'gpu', count: 1 }],
  priority: 3,
  affinity: [{ affinity: 'FORBID' as const, processGuid: 'db' }],
};

it('passes on what an instance asks for beyond memory and disk', () => {
  const spread = [{ over: 'rack', maxSkew: 1 }];
  const request = aDesiredLRP({ ...wishes, spread, ports: [8080, 2222] });
  const { schedulingInfo } = splitDesiredLRP(request, aTag());
  const resources = { memoryMb: 1, diskMb: 2, cpuMillicores: 500, ports: 2, devices: wishes.devices };
  const auction = auctionOfInstance(schedulingInfo, { index: 1, resources }, ['cell-1']);
  expect(auction).toMatchObject({ ...wishes, ...resources, spread, failedOn: ['cell-1'] });
  expect(workOfAuction(auction)).toEqual({
    ...resources,
    processGuid: schedulingInfo.processGuid,
    starting: true,
  });
  expect(workOfActual(anActualLRP({ resources, state: 'RUNNING' }))).toMatchObject({
    ...resources,
    starting: false,
  });
});

it('passes on what a task asks for beyond memory and disk', () => {
  const { priority, affinity, ...further } = wishes;
  const task = aTask({ definition: aTaskDefinition({ ...further, priority, affinity }) });
  expect(auctionOfTask(task)).toMatchObject(wishes);
  expect(workOfAuction(auctionOfTask(task))).toMatchObject(further);
});

it('asks for nothing that nobody asked for', () => {
  const { schedulingInfo } = splitDesiredLRP(aDesiredLRP(), aTag());
  const auction = auctionOfInstance(schedulingInfo, { index: 0, resources: { memoryMb: 1, diskMb: 1 } });
  expect(Object.keys(auction).toSorted()).toEqual([
    'diskMb',
    'index',
    'memoryMb',
    'placementTags',
    'processGuid',
    'refusedBy',
    'rootfs',
    'volumeDrivers',
  ]);
});
