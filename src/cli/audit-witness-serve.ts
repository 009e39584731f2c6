import { newCosigningKey, Cosigner } from '../platform/audit/cosignature.js';
import { NoteError, NoteVerifier } from '../platform/audit/signed-note.js';
import { ConfigError } from '../platform/config/config.js';
import { readPrivateFile, writePrivateFile } from '../platform/crypto/private-file.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { stopCleanly } from '../platform/lifecycle/stop-cleanly.js';
import { TlsCertificate } from '../platform/transport/tls-certificate.js';
import { CosigningWitness } from '../witnesses/serving/cosigning-witness.js';
import { serveWitness } from '../witnesses/serving/witness-server.js';
import { WitnessState, WitnessStateError } from '../witnesses/serving/witness-state.js';
import { CommandFailure, type AddCommand } from './command.js';
import { readKey } from './read-key.js';

interface ServeOptions {
  key: string;
  state: string;
  log: string[];
  listen: string;
  tlsCert?: string;
  tlsKey?: string;
}

const KEY_REMEDY = 'Make one with `quartermaster audit witness init`.';

/** `audit witness init` and `serve`: to be a witness, on another machine than the log's. They need no database. */
export const addAuditWitnessServe: AddCommand = (witness, { env, out, note }) => {
  witness
    .command('init <name>')
    .description('make the key and the empty state of a new witness, and print its public key')
    .requiredOption('--key <file>', 'where its private key goes')
    .requiredOption('--state <file>', 'where it remembers what it cosigned')
    .addHelpText('after', '\nThe name says who the witness is, as in audit.example.com/witness. It never changes.')
    .action(async (name: string, { key, state }: { key: string; state: string }) => {
      const { privateLine, cosigner } = newKey(name);
      await WitnessState.create(state, cosigner.verifier);
      await writePrivateFile(key, 'key of a witness', `${privateLine}\n`);
      out(cosigner.verifier.toString());
      note('Hand this out: logs name it with `audit witness add`, auditors with `audit verify --witness`.');
    });

  witness
    .command('serve')
    .description('be a witness of the named logs (C2SP tlog-witness), until it is stopped; needs no database')
    .requiredOption('--key <file>', 'its private key, as `init` made it')
    .requiredOption('--state <file>', 'where it remembers what it cosigned; on a disk that keeps it')
    .requiredOption('--log <key...>', 'the public keys of the logs, or files with them')
    .option('--listen <address>', 'host:port', '127.0.0.1:8090')
    .option('--tls-cert <file>', 'its certificate with the chain, in PEM; without it plain HTTP')
    .option('--tls-key <file>', 'the certificate’s key, in PEM')
    .addHelpText(
      'after',
      `
Run it where whoever administers the logs has no power. It cosigns only what continues what it has cosigned before, and
answers when that is on its disk. The state must not be lost or put back: then make a new key, under a new name.`,
    )
    .action(async (options: ServeOptions) => {
      const logs = await Promise.all(options.log.map((one) => readKey(one, (text) => NoteVerifier.parse(text))));
      const twice = logs.find(({ name }, at) => logs.findIndex((one) => one.name === name) !== at);
      if (twice) throw new CommandFailure(`The log ${twice.name} is named twice.`, EXIT.usage);
      const { host, port } = addressFrom(options.listen);
      const tls = await certificateFrom(options);
      const cosigner = await cosignerFrom(options.key);
      const state = await WitnessState.open(options.state, cosigner.verifier).catch(refuse);
      const server = await serveWitness(new CosigningWitness(cosigner, logs, state), {
        host,
        port,
        ...(tls && { tls }),
        tell: note,
      });
      out(`Witness ${cosigner.verifier.toString()} ready at ${server.url}`);
      stopCleanly(env, () => server.close());
      // Until a signal ends the process.
      await new Promise(() => undefined);
    });
};

function newKey(name: string): ReturnType<typeof newCosigningKey> {
  try {
    return newCosigningKey(name);
  } catch (error) {
    if (error instanceof NoteError) throw new CommandFailure(error.message, EXIT.usage);
    throw error;
  }
}

async function cosignerFrom(file: string): Promise<Cosigner> {
  try {
    return Cosigner.parse(await readPrivateFile(file, 'key of a witness', KEY_REMEDY));
  } catch (error) {
    if (error instanceof NoteError) throw new CommandFailure(`${error.message} ${KEY_REMEDY}`, EXIT.usage);
    throw error;
  }
}

function addressFrom(text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(?:\[(?=.*\]))?([^[\]\s]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) {
    throw new CommandFailure('--listen takes a host and a port, as in 127.0.0.1:8090 or [::]:8090.', EXIT.usage);
  }
  return { host, port: Number(port) };
}

async function certificateFrom({ tlsCert, tlsKey }: ServeOptions): Promise<TlsCertificate | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  try {
    if (tlsCert !== undefined && tlsKey !== undefined) {
      return await TlsCertificate.load({ certFile: tlsCert, keyFile: tlsKey });
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  throw new CommandFailure(
    '--tls-cert and --tls-key go together: a certificate with its chain and its key, both in PEM.',
    EXIT.usage,
  );
}

function refuse(error: unknown): never {
  if (error instanceof WitnessStateError) throw new CommandFailure(error.message, EXIT.usage);
  throw error;
}
