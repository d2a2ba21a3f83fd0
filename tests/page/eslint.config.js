// The page's scripts are classic scripts, joined in the order of document.SCRIPTS: they share one
// global, `explorer`, which data.js makes, and what the page around them defines.
import js from '@eslint/js';
import globals from 'globals';

export default [
  {ignores: ['results/published/', '**/node_modules/', '**/*.min.js']},
  js.configs.recommended,
  {
    files: ['results/**/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: {
        ...globals.browser,
        Plotly: 'readonly',
        explorer: 'readonly',
        offer_copies: 'readonly',
        fitted: 'readonly',
        legend_room: 'readonly',
        refit: 'readonly',
      },
    },
    rules: {'no-redeclare': ['error', {builtinGlobals: false}]}, // data.js makes `explorer`
  },
  {files: ['tests/page/*.js'], languageOptions: {globals: globals.node}},
];
