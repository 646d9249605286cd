# SPDX-License-Identifier: Apache-2.0
#
# What the guards share: which files there are, and a reading of C that knows comments, strings and
# preprocessor lines. Every guard takes the top of a source tree and prints "file:line: what is wrong".
use strict;
use warnings;

our $top = shift @ARGV // $ENV{OAS_TOP} // $ENV{srcdir} // '.';
our $complaints = 0;

# Folders that hold what is built or fetched, not what is written.
my %skipped = map { $_ => 1 } qw(.git build-aux m4 autom4te.cache node_modules .deps .libs);

# All files below a folder of the tree, as paths relative to its top.
sub files_below {
    my ($folder) = @_;
    my (@found, @open);
    @open = ($folder);
    while (defined(my $name = shift @open)) {
        opendir(my $handle, $name eq '' ? $top : "$top/$name") or next;
        for my $entry (sort readdir $handle) {
            next if $entry =~ /^\.\.?$/ || $skipped{$entry};
            my $path = $name eq '' ? $entry : "$name/$entry";
            if (-d "$top/$path" && !-l "$top/$path") {
                push @open, $path unless $name eq '' && ($entry =~ /^(build|_build|_inst|mod_oauth2as-|autom4te)/ || $entry eq 'instance');
            }
            elsif (-f "$top/$path") {
                push @found, $path;
            }
        }
    }
    return sort @found;
}

# The C sources that the rules are about.
sub c_files {
    my @folders = @_ ? @_ : qw(lib cli test);
    my @files = map { files_below($_) } @folders;
    push @files, grep { -f "$top/$_" } 'mod_oauth2as.c' unless @_;
    return grep { /\.[ch]$/ } @files;
}

sub text_of {
    my ($path) = @_;
    open(my $handle, '<:raw', "$top/$path") or die "$path: $!\n";
    local $/;
    my $text = <$handle>;
    return defined $text ? $text : '';
}

sub blank {
    my ($text) = @_;
    $text =~ s/[^\n]/ /g;
    return $text;
}

# C with its comments blanked out, line for line; with `strings` also what stands between quotes.
sub code_of {
    my ($text, $strings) = @_;
    $text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')}
              {defined $1 ? blank($1) : $strings ? substr($2, 0, 1) . blank(substr($2, 1, -1)) . substr($2, -1) : $2}ges;
    return $text;
}

# The same without preprocessor lines.
sub without_directives {
    my ($code) = @_;
    $code =~ s/^([ \t]*#(?:[^\n]*\\\n)*[^\n]*)/blank($1)/gme;
    return $code;
}

sub line_at {
    my ($text, $offset) = @_;
    return 1 + (substr($text, 0, $offset) =~ tr/\n//);
}

sub complain {
    my ($path, $line, $what) = @_;
    print "$path:$line: $what\n";
    $complaints++;
}

# Ends the guard: a guard that looked at nothing has not looked.
sub finish {
    my ($looked, $what) = @_;
    if ($looked == 0) {
        print "no $what found below $top\n";
        exit 1;
    }
    print "$looked $what, $complaints complaint", $complaints == 1 ? '' : 's', "\n";
    exit($complaints ? 1 : 0);
}

1;
