import { describe, expect, it } from 'vitest';
import { anAccessPolicy, employmentFacts } from '../../test/factories/access-policies.js';
import { desiredAccess } from './desired-access.js';

const tool = (key: string, ...groups: string[]) => ({ tool: key, groups, roles: [], licences: [] });

describe('desiredAccess', () => {
  it('gives everyone what a rule without conditions gives', () => {
    const policy = anAccessPolicy({ rules: [{ name: 'everyone', tools: [tool('chat', 'general')] }] });
    expect(desiredAccess([employmentFacts()], policy).access).toEqual([
      { toolKey: 'chat', purpose: 'primary', grants: [{ kind: 'group', name: 'general' }] },
    ]);
  });

  it('gives nothing to somebody who isn’t employed', () => {
    const policy = anAccessPolicy({ rules: [{ name: 'everyone', tools: [tool('chat')], deviceModel: 'M' }] });
    expect(desiredAccess([], policy)).toEqual({ access: [], deviceModel: null });
  });

  it('asks for all conditions, and for one choice of each', () => {
    const when = { department: ['engineering', 'research'], location: ['Berlin'] };
    const policy = anAccessPolicy({ rules: [{ name: 'r', when, tools: [tool('chat')] }] });
    const fits = (department: string, location: string | null): boolean =>
      desiredAccess([employmentFacts({ department, location })], policy).access.length > 0;
    expect(fits('engineering', 'Berlin')).toBe(true);
    expect(fits('research', 'Berlin')).toBe(true);
    expect(fits('sales', 'Berlin')).toBe(false);
    expect(fits('engineering', 'Porto')).toBe(false);
    expect(fits('engineering', null)).toBe(false);
  });

  it('doesn’t mind capitals, blanks and ways to write an umlaut', () => {
    const policy = anAccessPolicy({ rules: [{ name: 'r', when: { location: ['Köln'] }, tools: [tool('chat')] }] });
    expect(desiredAccess([employmentFacts({ location: ' KO\u0308LN ' })], policy).access).toHaveLength(1);
  });

  it('joins the rules that fit: one account per tool, each grant once', () => {
    const policy = anAccessPolicy({
      rules: [
        { name: 'a', tools: [tool('chat', 'general'), tool('directory')] },
        { name: 'b', tools: [{ ...tool('chat', 'general', 'extra'), roles: ['general'], licences: ['pro'] }] },
      ],
    });
    expect(desiredAccess([employmentFacts()], policy).access).toEqual([
      {
        toolKey: 'chat',
        purpose: 'primary',
        grants: [
          { kind: 'group', name: 'general' },
          { kind: 'group', name: 'extra' },
          { kind: 'role', name: 'general' },
          { kind: 'licence', name: 'pro' },
        ],
      },
      { toolKey: 'directory', purpose: 'primary', grants: [] },
    ]);
  });

  it('joins what several employments of one person give, and never mixes their facts', () => {
    const policy = anAccessPolicy({
      rules: [
        { name: 'a', when: { department: ['engineering'] }, tools: [tool('chat')] },
        { name: 'b', when: { department: ['engineering'], location: ['Porto'] }, tools: [tool('directory')] },
      ],
    });
    const both = [
      employmentFacts({ department: 'engineering', location: 'Berlin' }),
      employmentFacts({ department: 'sales', location: 'Porto' }),
    ];
    expect(desiredAccess(both, policy).access.map(({ toolKey }) => toolKey)).toEqual(['chat']);
  });

  it('takes the device model of the last fitting rule', () => {
    const policy = anAccessPolicy({
      rules: [
        { name: 'a', deviceModel: 'Standard' },
        { name: 'b', when: { department: ['engineering'] }, deviceModel: 'Developer' },
        { name: 'c' },
      ],
    });
    expect(desiredAccess([employmentFacts({ department: 'engineering' })], policy).deviceModel).toBe('Developer');
    expect(desiredAccess([employmentFacts({ department: 'sales' })], policy).deviceModel).toBe('Standard');
    expect(desiredAccess([employmentFacts()], anAccessPolicy({ rules: [{ name: 'a' }] })).deviceModel).toBeNull();
  });
});
