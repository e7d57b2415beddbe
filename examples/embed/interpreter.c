// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A little language for fork_many: numbers, + * dup swap drop, and words made of these by
// `: NAME ... ;`. Freestanding: a mistake in the text is a trap.
enum { kTextMax = 4096, kStackMax = 256, kWordsMax = 256, kDepthMax = 32 };

static char text[kTextMax];  // what to evaluate, up to a zero
static char kept[kTextMax];  // what the words are made of
static int kept_size;
static int stack[kStackMax];
static int height;
static struct {
  const char *name, *body;
} words[kWordsMax];
static int word_count;

#define EXPORT(name) __attribute__((export_name(name)))

static void check(int holds) {
  if (!holds) __builtin_trap();
}
static void push(int value) {
  check(height < kStackMax);
  stack[height++] = value;
}
static int pop(void) {
  check(height > 0);
  return stack[--height];
}

// Whether a and b start with the same word.
static int same(const char* a, const char* b) {
  while (*a > ' ' && *a == *b) ++a, ++b;
  return *a <= ' ' && *b <= ' ';
}
static const char* skip_word(const char* at) {
  while (*at > ' ') ++at;
  while (*at == ' ') ++at;
  return at;
}

// Keeps everything up to ';', and answers what follows it.
static const char* define(const char* at) {
  check(word_count < kWordsMax);
  words[word_count].name = kept + kept_size;
  words[word_count].body = skip_word(at) - at + kept + kept_size;
  for (; *at != ';'; ++at) {
    check(*at != 0 && kept_size < kTextMax - 1);
    kept[kept_size++] = *at;
  }
  kept[kept_size++] = 0;
  ++word_count;
  return skip_word(at);
}

static void run(const char* at, int depth);

static void run_word(const char* word, int depth) {
  for (int i = word_count - 1; i >= 0; --i) {
    if (same(words[i].name, word)) return run(words[i].body, depth + 1);
  }
  if (same(word, "+")) return push(pop() + pop());
  if (same(word, "*")) return push(pop() * pop());
  if (same(word, "drop")) return (void)pop();
  if (same(word, "dup")) {
    int top = pop();
    return push(top), push(top);
  }
  if (same(word, "swap")) {
    int top = pop(), next = pop();
    return push(top), push(next);
  }
  int value = 0;
  for (; *word > ' '; ++word) {
    check(*word >= '0' && *word <= '9');
    value = value * 10 + (*word - '0');
  }
  push(value);
}

static void run(const char* at, int depth) {
  check(depth < kDepthMax);
  while (*at == ' ') ++at;
  while (*at != 0) {
    if (same(at, ":")) {
      at = define(skip_word(at));
    } else {
      run_word(at, depth);
      at = skip_word(at);
    }
  }
}

EXPORT("input") char* input(void) { return text; }

// The number on top of the stack, 0 when there is none.
EXPORT("evaluate") int evaluate(void) {
  height = 0;
  text[kTextMax - 1] = 0;
  run(text, 0);
  return height == 0 ? 0 : pop();
}
