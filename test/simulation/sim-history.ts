import { DEPARTMENTS } from '../model/entitlements.js';
import { ExpectedAccess, type Story, type StoryKind } from '../model/expected-access.js';
import type { SimDoors } from './sim-doors.js';
import type { SimHumans } from './sim-humans.js';
import { crash, freeze } from './sim-workers.js';
import type { SimWorld } from './sim-world.js';
import type { SimPerson } from './tables.js';

/** Until when things happen to people, and things break. */
export const STORM = 60_000;

const AFTER: Record<StoryKind, readonly StoryKind[]> = {
  joined: ['changed', 'changed', 'left', 'left', 'left'],
  changed: ['changed', 'left', 'left', 'cancelled'],
  left: ['joined', 'joined', 'joined', 'cancelled', 'changed', 'left'],
  cancelled: ['left', 'changed', 'joined'],
};

/** Draws what will happen: the lives of a few people, told late, twice and out of order, and what befalls them. */
export function drawHistory(world: SimWorld, doors: SimDoors, humans: SimHumans): void {
  const { random, time } = world;
  for (let people = random.pick([1, 1, 2, 3]); people > 0; people -= 1) drawPerson(world, doors);
  for (let count = random.int(0, 3); count > 0; count -= 1) time.at(random.int(0, STORM), () => humans.brake());
  for (let count = random.int(0, 4); count > 0; count -= 1) time.at(random.int(0, STORM), () => humans.meddle());
  for (let count = random.int(0, 3); count > 0; count -= 1) time.at(random.int(0, STORM), () => strike(world));
}

/** One more person, and what becomes of them from now on. */
export function drawPerson(world: SimWorld, doors: SimDoors): void {
  const { random, time, now } = world;
  const index = world.people.length;
  const person = addPerson(world, index);
  tellLife(world, doors, person, `E${index}`, random.int(2, 6));
  if (random.chance(0.2)) tellLife(world, doors, person, `E${index}b`, random.int(1, 3));
  for (let losses = random.pick([0, 0, 1, 1, 2]); losses > 0; losses -= 1) loseAndGiveBack(world, doors, person);
  if (random.chance(0.15)) time.at(now + random.int(0, STORM), () => doors.reset(person));
  if (random.chance(0.1)) time.at(now + random.int(0, STORM), () => doors.leaveNow(person));
}

function addPerson(world: SimWorld, index: number): SimPerson {
  const person: SimPerson = {
    id: `person-${index}`,
    username: `user-${index}`,
    email: `user-${index}@acme.example`,
    mark: `qm:person-${index}`,
    status: 'expected',
    generation: 0,
    holds: [],
    employments: [],
    accounts: [],
    steps: [],
    attempts: [],
    expected: new ExpectedAccess(),
    staleCutAt: new Map(),
    decidedAt: 0,
  };
  world.people.push(person);
  const { random } = world;
  const { username, email } = person;
  for (const { kind, world: tool } of world.tools) {
    if (kind === 'human') continue;
    // Made before us or beside us: theirs by name and address, or perhaps theirs by the address alone.
    if (random.chance(0.05)) tool.add({ username, email });
    if (random.chance(0.05)) tool.add({ username: `other-${index}`, email });
  }
  return person;
}

function tellLife(world: SimWorld, doors: SimDoors, person: SimPerson, employee: string, length: number): void {
  const { random, time } = world;
  let kind: StoryKind = 'joined';
  let happens = world.now + random.int(0, 5_000);
  let last: Story | undefined;
  for (let index = 0; index < length; index += 1) {
    const tie = last !== undefined && random.chance(0.05);
    const story: Story = {
      kind,
      employee,
      department: random.pick(DEPARTMENTS),
      at: tie && last ? last.at : happens,
      sequence: tie && last ? last.sequence : index,
      body: `${employee}.${index}`,
      endsAt: kind === 'left' && random.chance(0.3) ? happens + random.int(0, 20_000) : null,
    };
    const delay = random.chance(0.25) ? random.int(0, 30_000) : random.int(0, 100);
    time.at(happens + delay, () => doors.hear(person, story));
    // Under another id: the inbox tells repeats under the same one by themselves.
    if (random.chance(0.15)) time.at(happens + delay + random.int(0, 20_000), () => doors.hear(person, story));
    last = story;
    kind = random.pick(AFTER[kind]);
    happens += random.chance(0.4) ? random.int(1, 1_500) : random.int(1_500, 20_000);
  }
}

function loseAndGiveBack(world: SimWorld, doors: SimDoors, person: SimPerson): void {
  const { random, time } = world;
  time.at(world.now + random.int(0, STORM), () => {
    const loss = doors.lose(person);
    if (random.chance(0.7)) time.after(random.int(10, 25_000), () => doors.giveBack(loss));
  });
}

/** A worker that has something in its hands dies or freezes. */
function strike(world: SimWorld): void {
  const busy = world.workers.filter(({ alive, frozen, holding }) => alive && !frozen && holding.size > 0);
  if (busy.length === 0) return;
  const worker = world.random.pick(busy);
  if (world.random.chance(0.6)) crash(world, worker, 'killed');
  else freeze(world, worker, world.random.int(500, 12_000));
}
