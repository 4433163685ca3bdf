/* A metronome in C, the measure of what a program can do on this machine.
 *
 *     reference NAME STEP_MS PRIORITY KIND
 *
 * A thread sleeps to absolute deadlines and hands each message to JACK's callback, which writes it at the start of
 * the next period, as a program does that sends "now". PRIORITY is that of SCHED_FIFO, 0 for none. KIND is "notes",
 * one a step, or "clock", a tick a step. SIGTERM ends it after the end of a note.
 * JACK's functions are declared here, so that no header has to be installed: JACK API 1.9.21.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct jack_client jack_client_t;
typedef struct jack_port jack_port_t;
jack_client_t *jack_client_open(const char *name, int options, int *status, ...);
jack_port_t *jack_port_register(jack_client_t *, const char *, const char *, unsigned long flags, unsigned long);
int jack_set_process_callback(jack_client_t *, int (*)(uint32_t, void *), void *);
int jack_activate(jack_client_t *);
int jack_deactivate(jack_client_t *);
int jack_client_close(jack_client_t *);
void *jack_port_get_buffer(jack_port_t *, uint32_t);
void jack_midi_clear_buffer(void *);
int jack_midi_event_write(void *, uint32_t time, const unsigned char *, size_t);

enum { NO_START_SERVER = 1, IS_OUTPUT = 2, ROOM = 64, NOTE = 60, NOTE_ON = 0x90, NOTE_OFF = 0x80, TICK = 0xF8 };

static jack_port_t *port;
static unsigned char kinds[ROOM];
static atomic_uint written, read_;
static atomic_int ended;

static int process(uint32_t frames, void *unused)
{
    void *buffer = jack_port_get_buffer(port, frames);
    (void)unused;
    jack_midi_clear_buffer(buffer);
    while (atomic_load(&read_) != atomic_load(&written)) {
        unsigned char message[3] = {kinds[atomic_load(&read_) % ROOM], NOTE, 100};
        jack_midi_event_write(buffer, 0, message, message[0] == TICK ? 1 : sizeof message);
        atomic_fetch_add(&read_, 1);
    }
    return 0;
}

static void put(unsigned char kind)
{
    kinds[atomic_load(&written) % ROOM] = kind;
    atomic_fetch_add(&written, 1);
}

static void sleep_until(int64_t ns)
{
    struct timespec moment = {ns / 1000000000, ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL))
        ;
}

static void end(int signal_)
{
    (void)signal_;
    atomic_store(&ended, 1);
}

int main(int count, char **values)
{
    if (count != 5) {
        fprintf(stderr, "reference NAME STEP_MS PRIORITY KIND\n");
        return 2;
    }
    jack_client_t *client = jack_client_open(values[1], NO_START_SERVER, NULL);
    if (!client)
        return 1;
    port = jack_port_register(client, "out", "8 bit raw midi", IS_OUTPUT, 0);
    jack_set_process_callback(client, process, NULL);
    if (!port || jack_activate(client))
        return 1;
    struct sched_param priority = {.sched_priority = atoi(values[3])};
    if (priority.sched_priority && pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority))
        fprintf(stderr, "no real-time priority\n");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int ticks = !strcmp(values[4], "clock");
    int64_t half_ns = (int64_t)(atof(values[2]) * (ticks ? 1e6 : 5e5)), half = 0;
    int64_t start = now.tv_sec * 1000000000 + now.tv_nsec + half_ns;
    signal(SIGTERM, end);
    for (; half % 2 || !atomic_load(&ended); half++) {
        sleep_until(start + half * half_ns);
        put(ticks ? TICK : half % 2 ? NOTE_OFF : NOTE_ON);
    }
    sleep_until(start + half * half_ns + 200000000); /* so that the last message leaves */
    jack_deactivate(client);
    jack_client_close(client);
    return 0;
}
