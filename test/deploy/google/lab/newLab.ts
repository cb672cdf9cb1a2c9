import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { asked, askedArguments, readWorld, type World, writeWorld } from './standIns/world.ts';
import { Terminal } from './terminal.ts';

const root = join(import.meta.dirname, '../../../..');

/** A project that is paid for, and a person who owns it. */
const world: World = {
  account: 'ada@uni.example',
  projects: [
    { projectId: 'my-lab-gaze', name: 'Gaze', lifecycleState: 'ACTIVE' },
    { projectId: 'other-project', name: 'Other', lifecycleState: 'ACTIVE' },
  ],
  owners: ['grace@uni.example'],
  billing: { 'my-lab-gaze': '012345-567890-ABCDEF' },
  currency: 'EUR',
  isPublicForbidden: false,
  objects: {},
  arriving: [
    ['my-lab-gaze-gazeline-state/drive/channels.json'],
    ['my-lab-gaze-gazeline-raw/tower.png', 'my-lab-gaze-gazeline-derived/annotations/tower.png.json'],
  ],
  made: [],
  isDataLoose: false,
  applyErrors: [],
  pace: 0,
  answers: {},
};

export const givenAnswers = {
  project: 'my-lab-gaze',
  region: 'europe-west4',
  study_folder: '1AbC_dEfGhIjKlMnOp',
  shared_drive: '',
  budget: { amount: 80, currency: 'USD' },
  people: { ada: 'user:ada@uni.example' },
  notify: ['ada@uni.example'],
};

/** Programs that stand in for gcloud, terraform and npm, a world for them, and Google's answer to which permissions there are. */
export class NewLab {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Which permissions nobody has. */
  readonly denied = new Set<string>();
  readonly #server: Server;
  readonly #terminals: Terminal[] = [];

  static async make(changes: Partial<World> = {}, answers?: object): Promise<NewLab> {
    const dir = await mkdtemp(join(tmpdir(), 'gazeline-deploy-'));
    const denied = new Set<string>();
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        const { permissions } = JSON.parse(body) as { permissions: string[] };
        response.end(JSON.stringify({ permissions: permissions.filter((one) => !denied.has(one)) }));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    writeWorld({ ...structuredClone(world), ...changes }, dir);
    await writeFile(join(dir, 'asked.log'), '');
    if (answers) await writeFile(join(dir, 'lab.auto.tfvars.json'), JSON.stringify(answers));
    const lab = new NewLab(dir, server, denied);
    for (const program of ['gcloud', 'terraform']) await lab.#standIn(program);
    await writeFile(join(dir, 'bin/npm'), `#!/bin/sh\necho '["npm"]' >> '${join(dir, 'asked.log')}'\n`);
    await chmod(join(dir, 'bin/npm'), 0o755);
    return lab;
  }

  private constructor(dir: string, server: Server, denied: Set<string>) {
    this.dir = dir;
    this.denied = denied;
    this.#server = server;
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    this.env = {
      HOME: dir,
      STAND_IN_WORLD: dir,
      GAZELINE_TERRAFORM: dir,
      GAZELINE_DEPLOY_WAITS: '0 0 0 0',
      GAZELINE_LOOK_SECONDS: '0.05',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: origin,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING: origin,
    };
  }

  async #standIn(program: string): Promise<void> {
    const file = join(this.dir, 'bin', program);
    await mkdir(dirname(file), { recursive: true });
    const source = join(import.meta.dirname, 'standIns', `${program}.ts`);
    await writeFile(
      file,
      `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${source}' "$@"\n`,
    );
    await chmod(file, 0o755);
  }

  remove = (program: string) => rm(join(this.dir, 'bin', program));

  async useRealTerraform(): Promise<void> {
    await this.remove('terraform');
    const real = execFileSync('sh', ['-c', 'command -v terraform'], { encoding: 'utf8' }).trim();
    await symlink(real, join(this.dir, 'bin/terraform'));
  }

  /** `npm run deploy -- …`, on a terminal. */
  start(...args: string[]): Terminal {
    const main = join(root, 'deploy/google/main.ts');
    const node = ['--disable-warning=ExperimentalWarning', main, ...args];
    const env = { ...process.env, ...this.env, PATH: `${join(this.dir, 'bin')}:${process.env.PATH}` };
    // With the real ones out of reach, those that were removed are missing.
    const command = [
      '/bin/sh',
      '-c',
      `PATH='${join(this.dir, 'bin')}' exec "$@"`,
      'sh',
      process.execPath,
      ...node,
    ];
    const terminal = new Terminal(command, env);
    this.#terminals.push(terminal);
    return terminal;
  }

  world = () => readWorld(this.dir);
  change = (changes: Partial<World>) => writeWorld({ ...this.world(), ...changes }, this.dir);
  asked = () => asked(this.dir);
  askedArguments = () => askedArguments(this.dir);
  answers = async () =>
    JSON.parse(await readFile(join(this.dir, 'lab.auto.tfvars.json'), 'utf8')) as Record<string, unknown>;

  async close(): Promise<void> {
    for (const terminal of this.#terminals) terminal.close();
    this.#server.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
