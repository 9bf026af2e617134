#include <criterion/criterion.h>

#include "parsers/error_text.h"

struct row {
    const char *name;
    const char *text;
    const char *type;
    const char *message;
    const char *stack; /* how it begins */
    const char *said;
};

static const struct row rows[] = {
    {"java", "2026-10-09 ERROR a.B - failed\njava.lang.X: boom\n\tat a\nCaused by: b.Y: z\n\tat c",
     "java.lang.X", "boom", "java.lang.X: boom", "2026-10-09 ERROR a.B - failed"},
    {"a message of several lines", "a.Bad: first\nsecond\n\tat b", "a.Bad", "first\nsecond",
     "a.Bad: first", "a.Bad: first\nsecond"},
    {"an error without a message", "java.lang.NullPointerException\n\tat a",
     "java.lang.NullPointerException", "", "java.lang.NullPointerException",
     "java.lang.NullPointerException"},
    {"uncaught", "Exception in thread \"main\" a.X: y\n\tat b", "a.X", "y",
     "Exception in thread \"main\" a.X", "Exception in thread \"main\" a.X: y"},
    {"frames alone", "it went wrong\n\tat a\n\tat b", "", "", "\tat a", "it went wrong"},
    {"python: the last of a chain is what was thrown",
     "Traceback (most recent call last):\n  File \"a\", line 1, in f\nKeyError: 1\n\nDuring "
     "handling of the above exception, another exception occurred:\n\nTraceback (most recent call "
     "last):\n  File \"a\", line 2, in f\nmod.Bad: a: b",
     "mod.Bad", "a: b", "Traceback", "Traceback (most recent call last):"},
    {"python: behind the line that logs it",
     "ERROR:root:failed\nTraceback (most recent call last):\n  File \"a\", line 1\nAssertionError",
     "AssertionError", "", "Traceback", "ERROR:root:failed"},
    {"go", "panic: runtime error: x\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:1", "panic",
     "runtime error: x", "goroutine 1", "panic: runtime error: x"},
    {"go, fatal", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [x]:\n",
     "fatal error", "all goroutines are asleep - deadlock!", "goroutine 1",
     "fatal error: all goroutines are asleep - deadlock!"},
    {"go's http server",
     "2026/10/09 http: panic serving 127.0.0.1:5: boom\ngoroutine 7 [running]:\n", "panic", "boom",
     "goroutine 7", "2026/10/09 http: panic serving 127.0.0.1:5: boom"},
    {"rust", "thread 'main' panicked at src/main.rs:2:5:\nboom\nnote: x", "panic", "boom",
     "thread 'main'", "thread 'main' panicked at src/main.rs:2:5:"},
    {"rust, before 1.73", "thread 'main' panicked at 'boom', src/main.rs:2:5\nstack backtrace:\n",
     "panic", "boom", "stack backtrace:", "thread 'main' panicked at 'boom', src/main.rs:2:5"},
    {"php",
     "PHP Fatal error:  Uncaught Foo\\Bar: boom in the middle in /a.php:3\nStack trace:\n#0 {main}",
     "Foo\\Bar", "boom in the middle", "Foo\\Bar: boom", "PHP Fatal error:  Uncaught"},
    {"ruby", "app.rb:3:in `work': no such: thing (KeyError)\n\tfrom app.rb:7:in `<main>'",
     "KeyError", "no such: thing", "app.rb:3:in", "app.rb:3:in `work': no such: thing (KeyError)"},
    {"dart", "Unhandled exception:\nFormatException: x\n#0      main (a)", "FormatException", "x",
     "FormatException: x", "Unhandled exception:"},
    {"dart, any object", "Unhandled exception:\nit broke\n#0      main (a)", "", "it broke",
     "it broke", "Unhandled exception:"},
    {"node in Lambda's columns",
     "2026-10-09T08:53:20.123Z\tid\tERROR\tTypeError: x\n    at f (a.js:1)", "TypeError", "x",
     "2026-10-09", "2026-10-09T08:53:20.123Z\tid\tERROR\tTypeError: x"},
    {"dotnet", "Unhandled exception. System.Bad: x\n ---> System.Worse: y\n   at A.B()",
     "System.Bad", "x", "Unhandled exception.", "Unhandled exception. System.Bad: x"},
};

Test(error_text, languages)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct error_text e;

        cr_assert(error_text_find(slice_str(r->text), &e), "%s", r->name);
        cr_expect(slice_is(e.type, r->type), "%s: type %.*s", r->name, SLICE_ARG(e.type));
        cr_expect(slice_is(e.message, r->message), "%s: message %.*s", r->name,
                  SLICE_ARG(e.message));
        cr_expect(slice_starts(e.stack, slice_str(r->stack)), "%s: stack %.*s", r->name,
                  SLICE_ARG(e.stack));
        cr_expect_eq(e.stack.ptr + e.stack.len, r->text + strlen(r->text), "%s", r->name);
        cr_expect(slice_is(e.said, r->said), "%s: said %.*s", r->name, SLICE_ARG(e.said));
    }
}

Test(error_text, nothing_of_the_kind)
{
    static const char *const texts[] = {"", "\n", "a\nb", "Error: x\nfollowed by text", "}\n{"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct error_text e;

        cr_expect_not(error_text_find(slice_str(texts[i]), &e), "%s", texts[i]);
        cr_expect(slice_is(e.said, texts[i]));
    }
}
