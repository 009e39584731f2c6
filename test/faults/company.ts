import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { anHrEmployee, type HrEmployee } from '../factories/hr-events.js';
import { waitFor } from '../support/wait-for.js';
import { TOOLS_OF, type Department } from './stage/installation.js';
import type { ServiceUnderTest } from './stage/service-under-test.js';

/** Somebody, as they ought to be: the small, obvious model that the tools are held against. */
export interface Employee {
  facts: HrEmployee;
  username: string;
  department: Department;
  employed: boolean;
  /** Losses that weren't lifted yet. */
  losses: Set<string>;
  deviceId?: string;
  personId?: string;
  lastEventAt: number;
}

/** One event that the HR system has to get rid of, and every answer it got. */
export interface Delivery {
  webhookId: string;
  type: string;
  /** The employee's id in the HR system. */
  about: string;
  answers: { status: number; at: number; outcome: string | null }[];
}

const PATIENCE_MS = 120_000;

/** The company around the service: its HR system, its people and their laptops. Everything it starts is seen through. */
export class Company {
  readonly people: Employee[] = [];
  readonly deliveries: Delivery[] = [];
  private model: Promise<string> | undefined;

  constructor(
    private readonly service: ServiceUnderTest,
    private readonly label: string,
  ) {}

  /** A new colleague who hasn't been told to anybody yet. Names follow from the order, so that a seed replays. */
  newcomer(department: Department = 'engineering'): Employee {
    const tag = `${this.label}-${this.people.length + 1}`;
    const facts = anHrEmployee({
      id: `E-${tag}`,
      familyName: `Example ${tag}`,
      workEmail: `ada.${tag}@acme.example`,
      department,
    });
    const employee = {
      facts,
      username: `ada.${tag}`,
      department,
      employed: false,
      losses: new Set<string>(),
      lastEventAt: 0,
    };
    this.people.push(employee);
    return employee;
  }

  shouldBeActive({ employed, losses, department }: Employee, tool: number): boolean {
    return employed && losses.size === 0 && TOOLS_OF[department].some((one) => one === tool);
  }

  async hire(employee: Employee): Promise<string | null> {
    return this.tell(employee, 'employee.joined', employee.facts, () => (employee.employed = true));
  }

  async joins(department?: Department): Promise<Employee> {
    const employee = this.newcomer(department);
    await this.hire(employee);
    return employee;
  }

  async leaves(employee: Employee): Promise<string | null> {
    return this.tell(
      employee,
      'employee.left',
      { id: employee.facts.id, endDate: today() },
      () => (employee.employed = false),
    );
  }

  async moves(employee: Employee, department: Department): Promise<string | null> {
    const facts = { ...employee.facts, department };
    return this.tell(employee, 'employee.changed', facts, () => Object.assign(employee, { facts, department }));
  }

  /** An event of this person, later than all before it; the model changes when it was accepted. Answers its case. */
  private async tell(employee: Employee, type: string, about: object, accepted: () => void): Promise<string | null> {
    const event = this.eventOf(employee, type, about);
    const { caseId } = await this.deliver(event);
    accepted();
    return caseId;
  }

  eventOf(employee: Employee, type: string, about: object): Record<string, unknown> {
    employee.lastEventAt = Math.max(Date.now(), employee.lastEventAt + 1);
    const occurredAt = new Date(employee.lastEventAt).toISOString();
    return { type, occurredAt, employee: about, ...(type === 'employee.left' && { immediate: true }) };
  }

  /** Posts it until it is accepted, as a sender of webhooks does: the same id each time. */
  async deliver(
    event: Record<string, unknown>,
    { webhookId = `msg_${randomUUID()}`, patience = PATIENCE_MS, timeout = 25_000 } = {},
  ): Promise<{ outcome: string | null; caseId: string | null }> {
    const { id: about } = event['employee'] as { id: string };
    const delivery: Delivery = { webhookId, type: String(event['type']), about, answers: [] };
    this.deliveries.push(delivery);
    const deadline = performance.now() + patience;
    for (;;) {
      const answer = await this.service.hr
        .post(event, { webhookId, signal: AbortSignal.timeout(timeout) })
        .catch(() => null);
      const outcome = textOf(answer?.body['outcome']);
      delivery.answers.push({ status: answer?.status ?? 0, at: Date.now(), outcome });
      if (answer && answer.status < 300) return { outcome, caseId: textOf(answer.body['caseId']) };
      // Refused for good: trying again won't change it.
      const isRefused = answer !== null && answer.status >= 400 && answer.status < 500;
      if (isRefused || performance.now() > deadline)
        throw new Error(`${delivery.type} was never accepted: ${JSON.stringify(delivery)}`);
      await pause(200);
    }
  }

  async personIdOf(employee: Employee): Promise<string> {
    employee.personId ??= await waitFor(
      `${employee.username} is known`,
      async () => {
        const rows = await this.service.rows<{ id: string }>(
          `SELECT person_id AS id FROM employments WHERE source = 'hr' AND source_id = $1`,
          [employee.facts.id],
        );
        return rows[0]?.id;
      },
      { withinMs: 60_000, everyMs: 100 },
    );
    return employee.personId;
  }

  async getsLaptop(employee: Employee): Promise<string> {
    this.model ??= this.service
      .call<{ id: string }>('POST', '/v1/device-models', { name: `Model ${this.label}`, manufacturer: 'Acme' })
      .then(({ id }) => id);
    const tag = `${employee.username}-${randomUUID().slice(0, 8)}`;
    const device = await this.service.call<{ id: string }>('POST', '/v1/devices', {
      assetTag: tag,
      serial: tag,
      modelId: await this.model,
    });
    await this.service.call('POST', `/v1/devices/${device.id}/assign`, { personId: await this.personIdOf(employee) });
    employee.deviceId = device.id;
    return device.id;
  }

  /** Answers the loss's case. */
  async losesLaptop(employee: Employee): Promise<string> {
    const deviceId = employee.deviceId ?? (await this.getsLaptop(employee));
    const { caseId } = await this.service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
    employee.losses.add(caseId);
    delete employee.deviceId;
    return caseId;
  }

  async isRestored(employee: Employee, lossId: string): Promise<void> {
    await this.service.call('POST', `/v1/lost-devices/${lossId}/restore`, {}).catch((error: unknown) => {
      // The first of two requests did it, and its answer was lost.
      if (!String(error).includes('given back for this loss before')) throw error;
    });
    employee.losses.delete(lossId);
  }

  /** Whether every tool shows what it ought to. */
  isAsItShould(employee: Employee): boolean {
    return this.deviations(employee).length === 0;
  }

  /** Where a tool shows something else than it ought to, in words. */
  deviations(employee: Employee): string[] {
    return this.service.tools.flatMap((tool, index) => {
      const users = tool.usersNamed(employee.username);
      const active = users.filter((user) => user.active).length;
      const wanted = this.shouldBeActive(employee, index) ? 1 : 0;
      const at = `${employee.username} at tool ${index}`;
      if (users.length > 1) return [`${at}: ${users.length} accounts`];
      if (active === wanted) return [];
      return [`${at}: ${active === 1 ? 'is active and should not be' : 'should be active and is not'}`];
    });
  }

  async untilAsItShould(employee: Employee, withinMs = 60_000): Promise<void> {
    await waitFor(`${employee.username} is everywhere as it should be`, () => this.isAsItShould(employee), {
      withinMs,
    });
  }

  /** People with all their accounts and a laptop, for the losses to come. */
  async hiresWithLaptops(count: number): Promise<Employee[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const employee = await this.joins();
        await this.getsLaptop(employee);
        await this.untilAsItShould(employee);
        return employee;
      }),
    );
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
