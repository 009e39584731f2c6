import { describe, expect, it } from 'vitest';
import { TOOL_ERROR_KINDS } from '../../connectors/kit/errors.js';
import { OBSERVED_STATES } from '../../src/accounts/account.entity.js';
import { BRAKE_KINDS } from '../../src/brakes/decide-brake.js';
import { ATTEMPT_OUTCOMES } from '../../src/cases/attempt.entity.js';
import { CASE_KINDS, STEP_ACTS, STEP_STATES } from '../../src/cases/step-states.js';
import { DISK_ENCRYPTION_VALUES } from '../../src/devices/device-observation.entity.js';
import { DEVICE_STATES } from '../../src/devices/device-states.js';
import { INBOX_OUTCOMES } from '../../src/hr-feeds/inbox-event.entity.js';
import { COMMAND_STATES, NEXT_COMMAND_STATES } from '../../src/lost-devices/command-states.js';
import { CONTAINMENTS } from '../../src/lost-devices/runbook/runbook-schema.js';
import { PERSON_STATUSES } from '../../src/people/person.entity.js';
import { PROTECTED_BY } from '../../src/recovery-keys/recovery-key.entity.js';
import { CASE_FILTERS, DEVICE_FILTERS, HR_FILTERS, PEOPLE_FILTERS } from '../../ui/src/search-params.js';
import { COMMAND_STATE_LOOKS, seenNext } from '../../ui/src/states/command-states.js';
import { STEP_STATE_LOOKS } from '../../ui/src/states/step-states.js';
import { en } from '../../ui/src/text/en.js';

const sorted = (words: Iterable<string>): string[] => [...words].toSorted();

/** A word that the server knows and the interface doesn't would show as nothing at all. */
describe('the user interface', () => {
  it.each([
    ['states of a step, by their looks', STEP_STATES, Object.keys(STEP_STATE_LOOKS)],
    ['states of a step', STEP_STATES, Object.keys(en.states.step)],
    ['acts', STEP_ACTS, Object.keys(en.cases.act)],
    ['kinds of cases', CASE_KINDS, Object.keys(en.cases.kind)],
    ['kinds of cases, to filter by', CASE_KINDS, CASE_FILTERS.kind],
    ['states of a device', DEVICE_STATES, Object.keys(en.devices.state)],
    ['states of a device, to filter by', DEVICE_STATES, DEVICE_FILTERS.state],
    ['states of a disk', DISK_ENCRYPTION_VALUES, Object.keys(en.devices.encryption)],
    ['statuses of people', PERSON_STATUSES, Object.keys(en.people.status)],
    ['statuses of people, to filter by', PERSON_STATUSES, PEOPLE_FILTERS.status],
    ['observed states of an account', OBSERVED_STATES, Object.keys(en.accounts.observed)],
    ['states of an order, by their looks', COMMAND_STATES, Object.keys(COMMAND_STATE_LOOKS)],
    ['states of an order', COMMAND_STATES, Object.keys(en.lostLaptop.orderState)],
    ['decisions about a lost machine', CONTAINMENTS, Object.keys(en.lostLaptop.decided)],
    ['outcomes of a call', ATTEMPT_OUTCOMES, Object.keys(en.cases.outcome)],
    ['kinds of errors of a tool', TOOL_ERROR_KINDS, Object.keys(en.cases.errorKind)],
    ['kinds of recovery keys', PROTECTED_BY, Object.keys(en.devices.protects)],
    ['kinds of brakes', BRAKE_KINDS, Object.keys(en.approvals.kind)],
    ['outcomes of HR events', INBOX_OUTCOMES, Object.keys(en.hrEvents.outcome)],
    ['outcomes of HR events, to filter by', INBOX_OUTCOMES, HR_FILTERS.outcome],
  ])('knows exactly the server’s %s', (_what, known, shown) => expect(sorted(shown)).toEqual(sorted(known)));

  it.each(COMMAND_STATES)(
    'offers exactly what the server lets an order that is %s become by somebody’s word',
    (state) => {
      const told = NEXT_COMMAND_STATES[state].filter((next) => next !== 'superseded');
      expect(sorted(seenNext(state))).toEqual(sorted(told));
    },
  );
});
