import { cloneFolder } from '../embedded/places.js';
import { CannotMake, newConnector } from './new-connector.js';

/** `npm run new-connector <name>`: makes a connector that compiles, and fails its suite where it has to be filled in. */
try {
  const [name = '', ...others] = process.argv.slice(2);
  if (others.length > 0) throw new CannotMake('One name, without blanks: npm run new-connector acme-crm');
  for (const file of await newConnector(cloneFolder(), name)) console.log(`made ${file}`);
  console.log(`
Next: search for “Fill in”, and run  npm test -- connectors/${name}  until it is green.
Then list it in connectors/index.ts and run  npm run quartermaster -- connectors --write
docs/writing-a-connector.md says what each part has to keep.`);
} catch (error) {
  if (!(error instanceof CannotMake)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
