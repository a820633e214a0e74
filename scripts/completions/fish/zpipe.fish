# Where the cursor is: operand0 or operand1, "run" behind that, "program" where the
# name of a program is wanted, or "stage" and, a line each, the words of its command.
function __zeroutils_zpipe_place
    set -l words (commandline -opc)
    set -l operands 0
    set -l run 0
    set -l ended 0
    set -l started 0
    set -l value 0
    set -l stage
    for word in $words[2..]
        if test $started = 1
            if test "$word" = :::
                set stage
            else
                set -a stage $word
            end
        else if test $value = 1
            set value 0
        else if test $ended = 0; and test "$word" = --
            set ended 1
            set started $run
        else if test $ended = 0; and string match -qr '^-.' -- $word
            contains -- $word -s -L -D -i -N -w -d --size --rate-limit --delay-start --interval --name --width --watchfd \
                --buffer --fill --stall --timeout --pipe-size --max-connections --grace --linger --buffer-total --method --stderr
            and set value 1
        else if test $run = 1
            set started 1
            set stage $word
        else
            if test $operands = 0; and test "$word" = run
                set run 1
            end
            set operands (math $operands + 1)
        end
    end
    if set -q stage[1]
        printf '%s\n' stage $stage
    else if test $started = 1
        echo program
    else if test $run = 1
        echo run
    else
        echo operand$operands
    end
end

function __zeroutils_zpipe_at
    set -l place (__zeroutils_zpipe_place)
    contains -- $place[1] $argv
end

# The programs that begin as the argument does. complete -C has functions, too.
function __zeroutils_zpipe_programs
    string match -q -- '-*' "$argv[1]"
    and return
    for line in (complete -C "$argv[1]")
        command -q (string split -f 1 \t -- $line)
        and echo $line
    end
end

# What the command of a stage would be completed by.
function __zeroutils_zpipe_stage
    set -l stage (__zeroutils_zpipe_place)
    complete -C (string join ' ' (string escape -- $stage[2..]) (commandline -ct))
    string match -q -- (commandline -ct)'*' :::
    and echo :::\t'The next command'
end

function __zeroutils_zpipe_addresses
    set -l word (commandline -ct)
    set -l before (string replace -r '[^,]*$' '' -- $word)
    switch $word
        case 'file:*,*'
            printf '%s\n' $before{append,excl,trunc,atomic}
        case 'unix-listen:*,*'
            printf '%s\n' $before{mode,user,group,uid,gid}=
        case 'unix:*,*'
            printf '%s\n' $before{retry,interval}=
        case 'tcp:*,*' 'tcp4:*,*' 'tcp6:*,*'
            printf '%s\n' $before{bind,retry,interval}=
        case 'tcp*:*:*'
        case 'tcp*:*'
            printf '%s\n' (string replace -r ':.*' ':' -- $word)(__fish_print_hostnames):
        case 'exec:*'
            printf '%s\n' exec:(__zeroutils_zpipe_programs (string sub -s 6 -- $word))
        case '*'
            printf '%s\n' {tcp,tcp4,tcp6,tcp-listen,tcp4-listen,tcp6-listen,unix,unix-listen,listen-fds,file,fd,exec,sh}:
    end
end

# The value of an option as far as it is typed.
function __zeroutils_zpipe_value
    string replace -r '^--[a-z-]+=' '' -- (commandline -ct) | string replace -r '^-[a-zA-Z](?=.)' ''
end

# Sizes that may be meant; with the argument @, files behind an @ as well.
function __zeroutils_zpipe_sizes
    set -l value (__zeroutils_zpipe_value)
    if test "$argv[1]" = @; and string match -q '@*' -- $value
        printf '@%s\n' (complete -C "'' "(string sub -s 2 -- $value))
    else if test -z "$value"
        printf '%s\n' 64K 1M 16M 256M 1G
    else if string match -qr '^[0-9.]+$' -- $value
        printf '%s\n' $value{K,M,G,T}
    end
end

function __zeroutils_zpipe_rates
    set -l value (__zeroutils_zpipe_value)
    if string match -qr '^[0-9.]+[KMGT]' -- $value
        printf '%s\n' (string replace -r ',.*' '' -- $value),{all,each}
    else
        __zeroutils_zpipe_sizes
    end
end

function __zeroutils_zpipe_processes
    set -l pid (string replace -rf ':.*' '' -- (__zeroutils_zpipe_value))
    if test -n "$pid"
        printf '%s\n' $pid:(string replace -r '.*/' '' -- /proc/$pid/fd/*)
    else
        __fish_complete_pids
    end
end

function __zeroutils_zpipe_option
    complete -c zpipe -n '__zeroutils_zpipe_at operand0 operand1 operand2 run' $argv
end

complete -c zpipe -n '__zeroutils_zpipe_at operand0' -a run -d 'Join commands by pipes'
complete -c zpipe -n '__zeroutils_zpipe_at operand0 operand1' -a '(__zeroutils_zpipe_addresses)'
complete -c zpipe -n '__zeroutils_zpipe_at run' -f -a '--' -d 'The first command follows'
complete -c zpipe -n '__zeroutils_zpipe_at run program' -f -a '(__zeroutils_zpipe_programs (commandline -ct))'
complete -c zpipe -n '__zeroutils_zpipe_at stage' -f -a '(__zeroutils_zpipe_stage)'
__zeroutils_zpipe_option -l both -d 'Relay in both directions'
__zeroutils_zpipe_option -l serve -d 'Relay every connection to what is opened for it'
__zeroutils_zpipe_option -l max-connections -x -d 'Relay at most so many connections at a time'
__zeroutils_zpipe_option -l grace -x -d 'Wait so many seconds for what is cut off'
__zeroutils_zpipe_option -l linger -x -d 'Let standard input be silent for so many seconds after the peer has ended'
__zeroutils_zpipe_option -l buffer-total -x -a '(__zeroutils_zpipe_sizes)' -d 'Hold at most so many bytes in all buffers'
__zeroutils_zpipe_option -l timeout -x -d 'Give up connecting, and an idle relay, after so many seconds'
__zeroutils_zpipe_option -l pipe-size -x -a '(__zeroutils_zpipe_sizes)' -d 'Raise pipes to this size'
__zeroutils_zpipe_option -l stderr -x -a 'lines direct' -d 'What becomes of the standard error of the commands of run'
__zeroutils_zpipe_option -s p -l progress -d 'Show a progress bar'
__zeroutils_zpipe_option -s t -l timer -d 'Show the time that has gone by'
__zeroutils_zpipe_option -s e -l eta -d 'Show the time that is left'
__zeroutils_zpipe_option -s I -l fineta -d 'Show the time of day of the end'
__zeroutils_zpipe_option -s r -l rate -d 'Show the current rate'
__zeroutils_zpipe_option -s a -l average-rate -d 'Show the rate over the last 30 seconds'
__zeroutils_zpipe_option -s b -l bytes -d 'Show how many bytes have passed'
__zeroutils_zpipe_option -s n -l numeric -d 'Show numbers for programs'
__zeroutils_zpipe_option -s q -l quiet -d 'Show nothing'
__zeroutils_zpipe_option -s W -l wait -d 'Show nothing before the first byte'
__zeroutils_zpipe_option -s D -l delay-start -x -d 'Show nothing in the first seconds'
__zeroutils_zpipe_option -s i -l interval -x -d 'Seconds from one drawing to the next'
__zeroutils_zpipe_option -s N -l name -x -d 'Put a name in front'
__zeroutils_zpipe_option -s w -l width -x -d 'Columns to draw on'
__zeroutils_zpipe_option -s f -l force -d 'Draw also where there is no terminal'
__zeroutils_zpipe_option -s d -l watchfd -x -a '(__zeroutils_zpipe_processes)' -d 'Show how far another process is'
__zeroutils_zpipe_option -s c -l cursor -d 'Accepted as pv does'
__zeroutils_zpipe_option -s s -l size -x -a '(__zeroutils_zpipe_sizes @)' -d 'Size of the whole'
__zeroutils_zpipe_option -s S -l stop-at-size -d 'Stop when the size has passed'
__zeroutils_zpipe_option -s L -l rate-limit -x -a '(__zeroutils_zpipe_rates)' -d 'Most bytes to pass a second'
__zeroutils_zpipe_option -l buffer -x -a '(__zeroutils_zpipe_sizes)' -d 'Bytes to hold for a slow sink'
__zeroutils_zpipe_option -l fill -x -d 'Percent of the buffer to fill first'
__zeroutils_zpipe_option -l stall -x -d 'Seconds of silence to report'
__zeroutils_zpipe_option -l method -x -a 'auto reflink copy_file_range sendfile splice mmap direct readwrite' -d 'Move the data by this method'
__zeroutils_zpipe_option -l stats -f -a 'text json' -d 'Say at the end how the data was moved'
__zeroutils_zpipe_option -s h -l help -d 'Display help and exit'
__zeroutils_zpipe_option -s V -l version -d 'Output version information and exit'
