/**
 * Lint rules. What Prettier formats is not linted, and every rule that is switched off says why.
 * Which room may import which is held by `.dependency-cruiser.cjs`; here only what can be told from
 * a single file.
 */
import { builtinModules } from 'node:module';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Both spellings of every Node built-in: `fs`, `fs/promises`, `node:fs`. */
const nodeBuiltins = `^(node:.*|(${builtinModules
  .filter((name) => !name.startsWith('_'))
  .map((name) => name.replace('/', '\\/'))
  .join('|')}))$`;

/** Globals that exist in Node but not in Temporal's workflow isolate, or that would make a replay differ. */
const nodeGlobals = ['process', 'Buffer', 'global', '__dirname', '__filename', 'require', 'setImmediate', 'fetch'].map(
  (name) => ({ name, message: 'Workflows and contracts run without Node.' }),
);

export default defineConfig(
  globalIgnores(['dist/', 'dist.lock/', '.dist-*/', 'coverage/', 'node_modules/', '.mediamill/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      // A promise returned from `try` without `await` escapes its `catch` and its `finally`.
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An abort signal's reason is passed on as it is; its type is `any`.
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      // A file is one room. Comments are welcome and do not count.
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      // Off: ports promise promises; an adapter that has nothing to wait for still implements them.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // These print: a terminal is where they speak.
    files: ['src/starters/cli/**', 'src/local/**', 'bench/**', 'scripts/**', 'bin/**', 'examples/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['src/contracts/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...nodeGlobals],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: nodeBuiltins, message: 'Contracts are used inside workflows and in browsers: nothing of Node.' },
            { regex: '^\\.\\./', message: 'Contracts import nothing of the project but contracts.' },
            { regex: '^@temporalio/', message: 'Contracts do not know the engine.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...nodeGlobals],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!@temporalio/(workflow|common)$|\\./|(\\.\\./)+(contracts|activities|workflows)/)',
              message: 'Workflows import @temporalio/workflow, @temporalio/common, contracts, and types of activities.',
            },
            { regex: '^(\\.\\./)+activities/', allowTypeImports: true, message: 'Only the types of activities.' },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // Off: tests read what servers and tools answer as JSON and assert on its shape; an assertion that
      // meets `undefined` fails, which is its purpose.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Off: `expect(object.method)` hands a method over without calling it.
      '@typescript-eslint/unbound-method': 'off',
      // Off: a table of cases is long and has one reason to change.
      'max-lines': 'off',
    },
  },
  {
    files: ['web/**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './web/tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      // Text of others is never markup.
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'JSXAttribute[name.name="dangerouslySetInnerHTML"], MemberExpression[property.name=/^(inner|outer)HTML$|^insertAdjacentHTML$/]',
          message: 'The page shows names that strangers gave: text only.',
        },
      ],
    },
  },
  {
    // Plain scripts stand outside tsconfig: rules that need types have none here.
    files: ['**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.base],
    rules: {
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
);
