import type { DeclaredRoute } from '../sign-in/route-check.js';
import { ROLE_DEFINITIONS, ROLES, type Role } from './roles.js';

/** Whether a role opens a route. Public routes are open to everybody, so no role is asked for there. */
export function opens(role: Role, { scope, isPublic, isForAllSignedIn }: DeclaredRoute): boolean {
  return isPublic || isForAllSignedIn || (scope !== undefined && ROLE_DEFINITIONS[role].scopes.includes(scope));
}

/** The document `docs/roles.md`, in Markdown: the roles, then each route with who may call it. Made from the code. */
export function describeRoles(routes: readonly DeclaredRoute[]): string {
  const sorted = routes.toSorted((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
  return [
    '# Roles and API tokens',
    '',
    '<!-- Written by `quartermaster roles matrix --write` from the code. Change that. -->',
    '',
    ...INTRODUCTION,
    '',
    '## The roles',
    '',
    row(['role', 'is for']),
    row(['---', '---']),
    ...ROLES.map((role) => row([`\`${role}\``, ROLE_DEFINITIONS[role].purpose])),
    '',
    '## Who may call what',
    '',
    '●: the role may call it. *Narrowed* says what becomes of a narrowed role: the answer is kept to its part of the company, or the call is refused.',
    '*Fresh*: a browser gets there only within ten minutes after its person used their security key, or, without one, signed in ([sign-in](sign-in.md#something-dangerous)).',
    '',
    row(['route', 'scope', 'narrowed', 'fresh', ...ROLES]),
    row(['---', '---', '---', ':-:', ...ROLES.map(() => ':-:')]),
    ...sorted
      .filter(({ isPublic }) => !isPublic)
      .map((route) =>
        row([
          `\`${route.route}\``,
          route.scope ?? 'any',
          route.heedsReach ? 'kept to it' : 'refused',
          route.needsFreshSignIn ? 'yes' : '',
          ...ROLES.map((role) => (opens(role, route) ? '●' : '')),
        ]),
      ),
    '',
    'Open to everybody, because they check something else than a sign-in (a signature, a one-time link) or tell nothing:',
    '',
    ...sorted.filter(({ isPublic }) => isPublic).map(({ route }) => `- \`${route}\``),
    '',
  ].join('\n');
}

const INTRODUCTION = [
  'A route names the one *scope* that opens it, as in `devices:read`; otherwise the service does not start. A *role* is a set of scopes. It is given to somebody who was admitted (`user:<id>`, see [sign-in](sign-in.md))',
  'or to an API token (its id), with `quartermaster roles assign` or `POST /v1/role-assignments`, and is asked at each request. Nobody gives a role that may do what they may not. It ends with `roles end`,',
  'with the withdrawal of the sign-in, or in the transaction that starts the person’s leave; while they are to be without access otherwise, as after a loss, it allows nothing.',
  '',
  '**Two people.** The first owner is made by whoever sits at the server. As soon as two people own the installation, each change of who may do what is asked for by one and approved by another, who isn’t the one whom',
  'it is about ([approvals](brakes-and-approvals.md#two-people)). The last owner who signs in can’t be ended. A one-time link from the server (`quartermaster sign-in-link`) signs in with every scope, whatever roles there are: it is',
  'for the start, and for the day when nobody else gets in.',
  '',
  '**Narrowed.** An assignment may name a department, a location, a tool; of several in one assignment all count, of several assignments any does. Then lists hold what is within, and whatever else there is answers',
  '404 as if it weren’t there. Somebody belongs where an employment of theirs says that isn’t over, and who has left, where they were last. To a department or location belong its people, their',
  'accounts, devices, cases, steps and alerts, and the brakes and approvals that are about them alone; a device in stock can be seen and given out to them. To a tool belong its accounts and steps, the cases that have such steps and the people who',
  'have such accounts, to look at; no device, and no act that cuts or gives back all of somebody’s access. What is the whole company’s is refused.',
  '',
  '**Fields.** Serial numbers need `devices:read-serials`, the title and the end of an employment `people:read-terms`; without them they are left out, and serial numbers aren’t searched.',
  'Whoever holds such a scope in some places only sees the field in answers that are kept to these places.',
  '',
  '**When the work is done.** Before a worker gives access, it asks whether who asked for it still may: a user whose role ended or was narrowed elsewhere, a token that was revoked. If not, the step needs a person, and',
  'whoever may and tries it again answers for it. HR’s word, the service’s own and that of whoever sits at the server stand. What takes access away goes on whatever happens to who asked.',
  '',
  '**API tokens** are made by `POST /v1/tokens` or `quartermaster token create`: for scopes that their maker holds everywhere, for 90 days unless something else is said and for a year at most. A token is',
  'shown once and kept as a hash; the list shows its last use. A token is a person’s, opens nothing while that person is to be without access, and ends in the transaction that starts their leave; or it is a service’s (`quartermaster service`, `/v1/service-principals`), goes on when the',
  'person who answers for that service leaves, and an alert asks for somebody else (`service hand-on`). At the terminal, `token create --service` makes a service that nobody answers for yet: for the start, when nobody is known; after a week an alert asks who does. One that a user made for a person may do what this user may still do. No token makes tokens.',
  'Tokens from before they had owners and ends go on: the list marks them, and an alert tells of them until they are revoked. A token without scopes may be given roles, by its id. A token of a service requests and approves nothing that takes two people.',
];

function placeOf({ route }: DeclaredRoute): string {
  const [method, path] = route.split(' ');
  return `${path} ${method}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
