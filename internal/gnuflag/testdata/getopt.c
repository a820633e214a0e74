/*
 * Says what the C library's getopt_long makes of command lines.
 *
 * Standard input is a sequence of words that each end in a NUL byte:
 *
 *	optstring
 *	N, and N times: the name, has_arg and val of a long option
 *	and for each line: POSIXLY_CORRECT (true or false), argc, the arguments
 *
 * The answer to each line is "option SPELLED", perhaps "value VALUE", and
 * "operand OPERAND", as often as need be, then "end", each with a NUL behind
 * it. A line that is wrong ends with getopt_long's own message in place of the
 * operands.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef __GLIBC__
#error "only the GNU C library's getopt_long will do"
#endif

static void die(const char *why)
{
	perror(why);
	exit(1);
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		die("calloc");
	return p;
}

/* The next word of the input, or NULL at its end. */
static char *word(void)
{
	char *s = NULL;
	size_t size = 0;

	return getdelim(&s, &size, '\0', stdin) < 0 ? NULL : s;
}

/* The next word, which must be there. */
static char *need(void)
{
	char *s = word();

	if (s == NULL) {
		fputs("the input ends in the middle\n", stderr);
		exit(1);
	}
	return s;
}

static void say(const char *what, const char *word)
{
	printf("%s%s%c", what, word, '\0');
}

static struct option *read_long_options(void)
{
	int n = atoi(need());
	struct option *longs = allocate(n + 1, sizeof *longs);

	for (int i = 0; i < n; i++) {
		longs[i].name = need();
		longs[i].has_arg = atoi(need());
		longs[i].val = atoi(need());
	}
	return longs;
}

/* Says one option, or 0 if it is a mistake, on which there is a message. */
static int say_option(int c, const char *longname)
{
	char letter[2] = { c, '\0' };

	if (c == '?') {
		say("", "");
		return 0;
	}
	if (longname != NULL)
		say("option --", longname);
	else
		say("option -", letter);
	if (optarg != NULL)
		say("value ", optarg);
	return 1;
}

static void read_line(int argc, char **argv, const char *optstring, const struct option *longs)
{
	int c, index;

	optind = 0; /* start afresh, and look at POSIXLY_CORRECT again */
	for (;;) {
		index = -1;
		fflush(stdout); /* a message is to come behind it */
		c = getopt_long(argc, argv, optstring, longs, &index);
		if (c == -1)
			break;
		if (!say_option(c, index < 0 ? NULL : longs[index].name))
			return;
	}
	while (optind < argc)
		say("operand ", argv[optind++]);
}

int main(void)
{
	char *optstring = need(), *posix;
	struct option *longs = read_long_options();

	if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		die("dup2");
	while ((posix = word()) != NULL) {
		int argc = 1 + atoi(need());
		char **argv = allocate(argc + 1, sizeof *argv);

		argv[0] = "getopt";
		for (int i = 1; i < argc; i++)
			argv[i] = need();
		if (strcmp(posix, "true") == 0)
			setenv("POSIXLY_CORRECT", "1", 1);
		else
			unsetenv("POSIXLY_CORRECT");
		read_line(argc, argv, optstring, longs);
		say("end", "");
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
