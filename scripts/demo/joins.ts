import { z } from 'zod';
import { signInEverywhere, type Access } from './access.js';
import { DeviceDetailsSeen, DeviceSeen, PersonSeen } from './api-shapes.js';
import { hireSomebody, joinEvent, ZONE, type Employee } from './employee.js';
import { followCase } from './follow-case.js';
import type { Laptop } from './laptop.js';
import { doManualTasks } from './manual-tasks.js';
import { IMAGE, IMAGE_VERSION, MODEL } from './register-devices.js';
import { signForLaptop } from './sign-for-laptop.js';
import { revokeOneDevice } from './ssh-access.js';
import type { Stage } from './stage.js';
import { duration } from './terminal.js';

/** Somebody in the company, with what they have in hand. */
export interface Colleague {
  employee: Employee;
  personId: string;
  joinedAt: Date;
  access: Access;
  laptop: Laptop;
  /** With it they report the laptop lost. */
  reportCode: string;
}

/** How long ago the laptop was imaged and its encryption seen. */
const IMAGED_MINUTES_AGO = 47;

/** HR tells of a new employee; accounts appear, and a laptop is given out. */
export async function joins(stage: Stage): Promise<Colleague> {
  const { api, hr, report, places } = stage;
  const employee = await hireSomebody(places);
  const { displayName, email, startDate } = employee;
  report.begin(`1  ${displayName} joins`, `${startDate}, engineering, ${ZONE}`);
  report.note({ employee: { name: displayName, email, hrId: employee.hrId, startDate, zone: ZONE } });

  const joinedAt = new Date();
  const postedAt = performance.now();
  const { outcome, caseId } = await hr.post(hr.message(joinEvent(employee, joinedAt)));
  const applied = outcome === 'applied' && caseId !== null;
  report.prove('HR posts a signed webhook: 202, applied', applied, { outcome, caseId }, performance.now() - postedAt);
  const seen = await followCase(stage, caseId ?? '');
  report.measure('accountsReadyMs', performance.now() - postedAt);
  const closed = await doManualTasks(stage, seen, 'Account made on the corporate address; badge printed.');

  const { personId } = closed;
  const person = await api.get(`/v1/people/${personId}`, PersonSeen);
  report.prove(
    `${displayName} is active, known by ${email} alone`,
    person.status === 'active' && person.corporateEmail === email,
    {
      person,
    },
  );
  const access = await signInEverywhere(stage, personId, email, `QM-${employee.number}-A`);
  report.prove(`the policy names the laptop: ${MODEL}`, closed.facts['deviceModel'] === MODEL, closed.facts);
  const laptop = await giveLaptop(stage, employee, personId);
  const reportCode = await signForLaptop(stage, laptop);
  if (access.ssh) await revokeOneDevice(stage, access.ssh);
  return { employee, personId, joinedAt, access, laptop, reportCode };
}

async function giveLaptop(
  { api, company, deviceManagerId, equipment, report }: Stage,
  employee: Employee,
  personId: string,
): Promise<Laptop> {
  const laptop = await equipment.deliver(`QM-${employee.number}-A`, IMAGED_MINUTES_AGO);
  const { id, assetTag } = laptop;
  company.deviceManager.enrol(laptop.serial);
  await api.post(`/v1/device-managers/${deviceManagerId}/ask`, undefined, z.unknown());
  const given = await api.post(`/v1/devices/${id}/assign`, { personId }, DeviceSeen);
  const { observations } = await api.get(`/v1/devices/${id}`, DeviceDetailsSeen);
  const encryption = observations.find(({ kind }) => kind === 'disk_encryption');
  report.prove(
    `laptop ${assetTag} given out: ${IMAGE} ${IMAGE_VERSION}, disk ${encryption?.value ?? 'unknown'}, ` +
      `as its own reporter saw ${duration((encryption?.ageSeconds ?? 0) * 1_000)} ago`,
    given.holderId === personId &&
      given.imageVersionId === equipment.imageVersionId &&
      encryption?.value === 'encrypted' &&
      encryption.source === 'reporter',
    { given, encryption },
  );
  return laptop;
}
