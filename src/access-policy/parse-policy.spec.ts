import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from './parse-policy.js';

const TOOLS = ['directory', 'chat'];

/** The mistakes of a policy, each as `line:column message`, which is how an editor's list shows them. */
function mistakes(text: string, toolKeys: readonly string[] | null = TOOLS): string[] {
  return parsePolicy(text, toolKeys).mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const GOOD = `
corporateDomains: [Acme.Example]
rules:
  - name: everyone
    tools:
      - { tool: directory, groups: [staff] }
  - name: engineering
    when: { department: engineering, location: [Berlin, Porto] }
    tools:
      - tool: chat
    deviceModel: Developer laptop
`;

describe('a good policy', () => {
  it('comes out with every default filled in', () => {
    expect(parsePolicy(GOOD, TOOLS)).toEqual({
      mistakes: [],
      document: {
        corporateDomains: ['acme.example'],
        rules: [
          { name: 'everyone', when: {}, tools: [{ tool: 'directory', groups: ['staff'], roles: [], licences: [] }] },
          {
            name: 'engineering',
            when: { department: ['engineering'], location: ['Berlin', 'Porto'] },
            tools: [{ tool: 'chat', groups: [], roles: [], licences: [] }],
            deviceModel: 'Developer laptop',
          },
        ],
      },
    });
  });

  it('is what comes out when it is read again from its own output', () => {
    const { document } = parsePolicy(GOOD, TOOLS);
    expect(parsePolicy(JSON.stringify(document), TOOLS).document).toEqual(document);
  });

  it('is the example in the repository', () => {
    const example = readFileSync(new URL('../../access-policy.yaml', import.meta.url), 'utf8');
    expect(mistakes(example, null)).toEqual([]);
  });
});

describe('a mistake is told with its line, its column and a plain sentence', () => {
  it('for a name that isn’t known', () => {
    const text =
      'corporateDomains: [acme.example]\nrules:\n  - name: a\n    tolls: []\n    when:\n      departement: x\ncolour: red\n';
    expect(mistakes(text)).toEqual([
      '4:5 “tolls” isn’t known here; known are name, when, tools, deviceModel.',
      '6:7 “departement” isn’t known here; known are department, employmentType, location.',
      '7:1 “colour” isn’t known here; known are corporateDomains, rules.',
    ]);
  });

  it('for a tool that isn’t there, with the ones that are', () => {
    const text =
      'corporateDomains: [acme.example]\nrules:\n  - name: a\n    tools:\n      - tool: chat\n      - tool: caht\n';
    expect(mistakes(text)).toEqual(['6:15 There is no tool “caht”; known are directory, chat.']);
    expect(mistakes(text, [])).toContain('6:15 There is no tool “caht”; no tool is set up yet.');
    expect(mistakes(text, null)).toEqual([]);
  });

  it('for two rules of one name, and a tool that a rule names twice', () => {
    const text =
      'corporateDomains: [acme.example]\nrules:\n  - name: a\n    tools: [{tool: chat}, {tool: chat}]\n  - name: a\n';
    expect(mistakes(text)).toEqual([
      '4:34 This rule names the tool “chat” twice: put its groups together.',
      '5:11 There is a rule “a” already, in line 3.',
    ]);
  });

  it('for what is missing, at the place that lacks it', () => {
    expect(mistakes('corporateDomains: [acme.example]\nrules:\n  - tools:\n      - groups: [x]\n')).toEqual([
      '3:5 “rules 1. name” is missing.',
      '4:9 “rules 1. tools 1. tool” is missing.',
    ]);
    expect(mistakes('rules: []\n')).toEqual(['1:1 “corporateDomains” is missing.']);
  });

  it('for a value of the wrong kind', () => {
    const text = 'corporateDomains: acme.example\nrules:\n  - name: 7\n    tools: chat\n    when: { location: [] }\n';
    expect(mistakes(text)).toEqual([
      '1:19 “corporateDomains” must be a list of domains.',
      '3:11 “rules 1. name” must be a text (put quotes around a number or a yes/no).',
      '4:12 “rules 1. tools” must be a list of tools.',
      '5:23 “rules 1. when location” must name at least one.',
    ]);
  });

  it('for a domain that is none', () => {
    expect(mistakes('corporateDomains: ["@acme.example", acme]\nrules: []\n')).toEqual([
      '1:20 “corporateDomains 1.” must be a domain such as acme.example.',
      '1:37 “corporateDomains 2.” must be a domain such as acme.example.',
    ]);
  });

  it('for text that is no YAML', () => {
    expect(mistakes('corporateDomains: [acme.example\nrules: []\n')[0]).toMatch(/^2:\d+ This is no valid YAML: /);
    expect(mistakes('corporateDomains: [a.example]\nrules:\n  - name: a\n    name: b\n')).toEqual([
      '4:5 This name stands here twice: keep one of the two.',
    ]);
    expect(mistakes('rules:\n\t- name: a\n')[0]).toMatch(/^2:1 /);
  });

  it('for anchors and aliases', () => {
    expect(mistakes('corporateDomains: &d [acme.example]\nrules: *d\n')).toEqual([
      '2:8 Anchors and aliases (& and *) can’t be used here: write the value out.',
    ]);
  });

  it.each(['', '# nothing but a comment\n', '[]', 'just words', '7'])('for a file that holds %j', (text) => {
    const found = parsePolicy(text, TOOLS);
    expect(found.document).toBeNull();
    expect(found.mistakes.length).toBeGreaterThan(0);
    expect(found.mistakes.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
  });
});
